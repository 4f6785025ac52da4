// One datagram to a Unix socket: how a service manager is told of its service (sd_notify(3)). Node has no such sockets.
#pragma once

#include <string_view>

namespace tracefp {

// Any thread; never waits: a receiver whose queue is full is EAGAIN. `address` is a path, or `@name` of the abstract
// namespace. 0, else the errno of the call that failed (ENAMETOOLONG, EINVAL: no such address can be).
[[nodiscard]] int send_unix_datagram(std::string_view address, std::string_view text);

}  // namespace tracefp
