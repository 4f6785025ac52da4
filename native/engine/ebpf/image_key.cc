#include "engine/ebpf/image_key.h"

#include <cstdint>

namespace tracefp {

namespace {

// False: it does not fit, with a 0 behind it where it is a `name`.
template <size_t kSize>
bool put(char (&field)[kSize], std::string_view text, bool is_name) {
  if (text.size() + (is_name ? 1 : 0) > kSize) return false;
  text.copy(field, text.size());
  return true;
}

// As far as its 0.
std::string_view text_at(std::string_view bytes, size_t at) {
  const std::string_view rest = bytes.substr(at);
  return rest.substr(0, rest.find('\0'));
}

}  // namespace

std::optional<ImageKey> image_key_of(const ExecFacts& facts, std::string_view bytes, Sharing sharing, uint32_t epoch) {
  ImageKey key{};
  key.ino = facts.real_ino;
  key.size = facts.size;
  key.mtime = facts.mtime;
  key.ctime = facts.ctime;
  key.dev = facts.real_dev;
  key.generation = facts.generation;
  key.sharing = sharing;
  key.epoch = epoch;
  const std::string_view filename = text_at(bytes.substr(0, facts.filename_bytes), 0);
  const std::string_view args = bytes.substr(facts.filename_bytes, facts.args_bytes);
  const size_t exe_at = size_t{facts.filename_bytes} + facts.args_bytes;
  if (!put(key.exe, bytes.substr(exe_at, facts.exe_bytes), false)) return std::nullopt;
  if (sharing == kShareAny) return key;
  std::string_view name = filename;
  if (sharing != kShareByScript) {
    name = text_at(args, 0);
    if (name.size() + 1 > args.size()) return std::nullopt;
    if (sharing == kShareByOperand) {
      if (name.size() + 1 >= TRACEFP_KEY_NAME_BYTES) return std::nullopt;
      args.size() == name.size() + 1 ? name = {} : name = text_at(args, name.size() + 1);
    }
  }
  // The kernel half takes one that fills the field for one that was cut.
  if (name.size() + 1 >= TRACEFP_KEY_NAME_BYTES || !put(key.name, name, true)) return std::nullopt;
  if (sharing == kShareByName) return key;
  if (sharing == kShareByOperand && (name.empty() || name[0] == '-' || name[0] == '+')) return key;
  key.root_ino = facts.root_ino;
  if (name.empty() || name[0] != '/') {
    if (!put(key.cwd, bytes.substr(exe_at + facts.exe_bytes, facts.cwd_bytes), false)) return std::nullopt;
  }
  return key;
}

}  // namespace tracefp
