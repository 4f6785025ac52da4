// Which execs begin the same program, as the kernel half tells it (kernel/shared.h, ImageKey). The keys that it looks
// up are made here anew from what it told of an exec, byte for byte. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "engine/ebpf/kernel/shared.h"

namespace tracefp {

// The key of an exec under `sharing`, which is not kShareNone. `bytes`: what stands behind its facts, as long as they
// say. Nothing: it does not fit.
std::optional<ImageKey> image_key_of(const ExecFacts& facts, std::string_view bytes, Sharing sharing, uint32_t epoch);

}  // namespace tracefp
