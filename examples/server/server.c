// A small file server: HTTP/1.0 on the loopback interface, one request per connection, one process.
//
//   server --dir DIR [--port N]     port 0 (the default) takes a free one; the first line printed says which
//
//   GET /NAME      200 with the file, or 404        HEAD /NAME     the same without the file
//   PUT /NAME      201, written beside its place and renamed
//   DELETE /NAME   204, or 404                      GET /          200 with the counters
//
// SIGTERM ends it after the request at hand: the signal is blocked but while it waits in ppoll.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEAD_SIZE = 8192, CHUNK_SIZE = 16384, NAME_SIZE = 128 };

struct request {
  int connection;
  char method[8];
  char name[NAME_SIZE];  // without the slash; empty for the root
  long body_length;
  char head[HEAD_SIZE];
  size_t head_length;  // bytes read so far, the beginning of the body among them
  size_t body_start;
};

static volatile sig_atomic_t is_stopping;
static int data_dir;
static long served_count, failed_count;

static void on_terminate(int signal) {
  (void)signal;
  is_stopping = 1;
}

static int write_all(int file, const char* bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(file, bytes, length);
    if (written < 0) return -1;
    bytes += written;
    length -= (size_t)written;
  }
  return 0;
}

// Not printf: what stdio calls depends on whether it writes to a terminal, a pipe or a file.
static void say(const char* format, long first, long second) {
  char text[128];
  int size = snprintf(text, sizeof text, format, first, second);
  write_all(STDOUT_FILENO, text, (size_t)size);
}

static void answer(const struct request* request, int status, const char* reason, long length) {
  char head[256];
  int size = snprintf(head, sizeof head, "HTTP/1.0 %d %s\r\nContent-Length: %ld\r\n\r\n", status, reason, length);
  if (status >= 400) failed_count++;
  write_all(request->connection, head, (size_t)size);
}

// Names are letters, digits, '-', '_' and dots that do not come first: nothing outside the directory has such a name.
static int is_name(const char* name) {
  if (*name == '.') return 0;
  for (; *name != '\0'; name++) {
    if (!isalnum((unsigned char)*name) && strchr("-_.", *name) == NULL) return 0;
  }
  return 1;
}

// Reads up to the empty line and takes method, name and length out of it. 0, or -1 when this is no request.
static int read_request(struct request* request) {
  char* end = NULL;
  while (end == NULL) {
    if (request->head_length == HEAD_SIZE - 1) return -1;
    ssize_t got = read(request->connection, request->head + request->head_length, HEAD_SIZE - 1 - request->head_length);
    if (got <= 0) return -1;
    request->head_length += (size_t)got;
    request->head[request->head_length] = '\0';
    end = strstr(request->head, "\r\n\r\n");
  }
  request->body_start = (size_t)(end - request->head) + 4;
  if (sscanf(request->head, "%7s /%127[^ \r\n]", request->method, request->name) < 1) return -1;
  for (char* line = strstr(request->head, "\r\n"); line != NULL && line < end; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, "Content-Length:", 15) == 0) request->body_length = strtol(line + 17, NULL, 10);
  }
  return request->body_length < 0 ? -1 : 0;
}

static void get_counters(const struct request* request) {
  char text[128];
  int size = snprintf(text, sizeof text, "served %ld\nfailed %ld\n", served_count, failed_count);
  answer(request, 200, "OK", size);
  write_all(request->connection, text, (size_t)size);
}

static void get_file(const struct request* request) {
  char chunk[CHUNK_SIZE];
  struct stat stat;
  int file = openat(data_dir, request->name, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    answer(request, 404, "Not Found", 0);
    return;
  }
  if (fstat(file, &stat) != 0 || !S_ISREG(stat.st_mode)) {
    answer(request, 403, "Forbidden", 0);
  } else {
    answer(request, 200, "OK", (long)stat.st_size);
    if (strcmp(request->method, "GET") == 0) {
      ssize_t got;
      while ((got = read(file, chunk, sizeof chunk)) > 0) {
        if (write_all(request->connection, chunk, (size_t)got) != 0) break;
      }
    }
  }
  close(file);
}

static void put_file(const struct request* request) {
  char chunk[CHUNK_SIZE];
  long left = request->body_length;
  size_t first = request->head_length - request->body_start;
  int file = openat(data_dir, ".incoming", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) {
    answer(request, 500, "Internal Server Error", 0);
    return;
  }
  if (first > 0) write_all(file, request->head + request->body_start, first);
  left -= (long)first;
  while (left > 0) {
    ssize_t got = read(request->connection, chunk, sizeof chunk);
    if (got <= 0) break;
    write_all(file, chunk, (size_t)got);
    left -= got;
  }
  close(file);
  if (left != 0) {
    unlinkat(data_dir, ".incoming", 0);
    answer(request, 400, "Bad Request", 0);
  } else if (renameat(data_dir, ".incoming", data_dir, request->name) != 0) {
    answer(request, 500, "Internal Server Error", 0);
  } else {
    answer(request, 201, "Created", 0);
  }
}

static void delete_file(const struct request* request) {
  if (unlinkat(data_dir, request->name, 0) == 0)
    answer(request, 204, "No Content", 0);
  else
    answer(request, 404, "Not Found", 0);
}

static void serve(int connection) {
  static struct request request;
  memset(&request, 0, sizeof request);
  request.connection = connection;
  served_count++;
  if (read_request(&request) != 0) {
    answer(&request, 400, "Bad Request", 0);
    return;
  }
  // (examples/server/subvert.mjs puts its lines here)
  int is_get = strcmp(request.method, "GET") == 0;
  if (!is_name(request.name))
    answer(&request, 404, "Not Found", 0);
  else if (is_get && request.name[0] == '\0')
    get_counters(&request);
  else if (is_get || strcmp(request.method, "HEAD") == 0)
    get_file(&request);
  else if (strcmp(request.method, "PUT") == 0)
    put_file(&request);
  else if (strcmp(request.method, "DELETE") == 0)
    delete_file(&request);
  else
    answer(&request, 405, "Method Not Allowed", 0);
}

static int listen_on(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  socklen_t length = sizeof address;
  int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr*)&address, length) != 0 || listen(listener, 64) != 0) return -1;
  getsockname(listener, (struct sockaddr*)&address, &length);
  say("listening on 127.0.0.1:%ld\n", ntohs(address.sin_port), 0);
  return listener;
}

int main(int count, char** arguments) {
  const char* dir = NULL;
  int port = 0;
  for (int i = 1; i + 1 < count; i += 2) {
    if (strcmp(arguments[i], "--dir") == 0)
      dir = arguments[i + 1];
    else if (strcmp(arguments[i], "--port") == 0)
      port = atoi(arguments[i + 1]);
  }
  data_dir = dir == NULL ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (data_dir < 0) {
    dprintf(STDERR_FILENO, "usage: server --dir DIR [--port N]\n");
    return 2;
  }
  sigset_t terminate, waiting;
  struct sigaction action = {.sa_handler = on_terminate};
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  sigprocmask(SIG_BLOCK, &terminate, &waiting);
  sigdelset(&waiting, SIGTERM);
  sigaction(SIGTERM, &action, NULL);
  signal(SIGPIPE, SIG_IGN);

  struct pollfd ready = {.fd = listen_on(port), .events = POLLIN};
  if (ready.fd < 0) {
    dprintf(STDERR_FILENO, "server: cannot listen on port %d: %s\n", port, strerror(errno));
    return 1;
  }
  while (!is_stopping) {
    if (ppoll(&ready, 1, NULL, &waiting) <= 0) continue;
    int connection = accept4(ready.fd, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) continue;
    serve(connection);
    close(connection);
  }
  close(ready.fd);
  say("served %ld, failed %ld\n", served_count, failed_count);
  return 0;
}
