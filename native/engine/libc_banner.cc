#include "engine/libc_banner.h"

#include <link.h>

#include <cstring>
#include <string_view>

namespace tracefp {

namespace {

constexpr std::string_view kBanner = "GNU C Library (";
constexpr size_t kMaxBannerBytes = 128;

bool is_libc(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash != nullptr && strcmp(slash + 1, "libc.so.6") == 0;
}

std::string banner_in(const char* begin, size_t size) {
  const void* found = memmem(begin, size, kBanner.data(), kBanner.size());
  if (found == nullptr) return {};
  const auto* at = static_cast<const char*>(found);
  const size_t left = size - static_cast<size_t>(at - begin);
  const std::string_view text(at, left < kMaxBannerBytes ? left : kMaxBannerBytes);
  return std::string(text.substr(0, text.find_first_of(std::string_view("\n\0", 2))));
}

int find_banner(dl_phdr_info* object, size_t, void* wanted) {
  auto* banner = static_cast<std::string*>(wanted);
  if (!is_libc(object->dlpi_name)) return 0;
  for (size_t index = 0; index < object->dlpi_phnum; ++index) {
    const ElfW(Phdr)& part = object->dlpi_phdr[index];
    // Constants stand in a part of their own; where they do not, they are in with the code.
    if (part.p_type != PT_LOAD || (part.p_flags & (PF_R | PF_W)) != PF_R) continue;
    *banner = banner_in(reinterpret_cast<const char*>(object->dlpi_addr + part.p_vaddr), part.p_memsz);
    if (!banner->empty()) return 1;
  }
  return 1;
}

}  // namespace

std::string libc_banner() {
  std::string banner;
  dl_iterate_phdr(find_banner, &banner);
  return banner;
}

}  // namespace tracefp
