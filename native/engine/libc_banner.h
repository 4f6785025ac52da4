// What the C library of this process says it is. It lies in memory already: to read the file for it takes 2 ms.
#pragma once

#include <string>

namespace tracefp {

// The first line, from "GNU C Library (" on, at most 128 bytes; empty: the library is another one, or says nothing.
std::string libc_banner();

}  // namespace tracefp
