// Normal work for servers: scratch instances on loopback ports of their own, with the requests of several clients, ended by
// SIGTERM.

import { freePort, talk, waitForPort } from './place.mjs'

const CONFIGURATION = (place, port) => `
daemon off;
worker_processes 2;
user root;
pid ${place.work}/nginx.pid;
error_log ${place.work}/error.log;
events { worker_connections 64; }
http {
  access_log ${place.work}/access.log;
  client_body_temp_path ${place.work}/body;
  proxy_temp_path ${place.work}/proxy;
  fastcgi_temp_path ${place.work}/fastcgi;
  uwsgi_temp_path ${place.work}/uwsgi;
  scgi_temp_path ${place.work}/scgi;
  sendfile on;
  gzip on;
  gzip_types text/plain;
  types { text/plain txt; }
  server {
    listen 127.0.0.1:${port};
    root ${place.work}/www;
    location /moved { return 301 /small.txt; }
    location /list/ { autoindex on; }
  }
}
`

export const NGINX = {
  name: 'nginx',
  what: 'master and two workers; small and large files, ranges, gzip, 404, 405, keep-alive, several clients at once',
  needs: ['/usr/sbin/nginx'],
  async run(place, random) {
    const port = await freePort()
    place.write('work/nginx.conf', CONFIGURATION(place, port))
    place.write('work/www/small.txt', random.text(300))
    place.write('work/www/large.bin', 'x'.repeat(random.int(100_000, 2_000_000)))
    place.write('work/www/list/one.txt', 'one\n')
    const head = (method, path, ...headers) =>
      `${[`${method} ${path} HTTP/1.1`, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`
    const close = 'Connection: close'
    const requests = [
      head('GET', '/small.txt', close),
      head('GET', '/small.txt', 'Accept-Encoding: gzip', close),
      head('GET', '/large.bin', close),
      head('GET', '/large.bin', 'Range: bytes=100-2000', close),
      head('HEAD', '/large.bin', close),
      head('GET', '/missing', close),
      head('POST', '/small.txt', 'Content-Length: 3', close).concat('abc'),
      head('GET', '/moved', close),
      head('GET', '/list/', close),
      head('GET', '/small.txt') + head('GET', '/missing', close),
      'nonsense\r\n\r\n',
    ]
    return {
      argv: ['/usr/sbin/nginx', '-e', `${place.work}/error.log`, '-p', place.work, '-c', `${place.work}/nginx.conf`],
      drive: async (pid) => {
        await waitForPort(() => talk(port, head('GET', '/small.txt', close)))
        const client = async () => {
          for (let i = random.int(1, 12); i > 0; i--) await talk(port, random.pick(requests))
        }
        await Promise.all(Array.from({ length: random.int(1, 4) }, client))
        process.kill(pid, 'SIGTERM')
      },
    }
  },
}

export const REDIS = {
  name: 'redis-server',
  what: 'strings, lists, hashes, expiry, pipelines, append-only file or not, BGSAVE, several clients at once',
  needs: ['/usr/bin/redis-server'],
  async run(place, random) {
    const port = await freePort()
    const appends = random.chance(0.5) ? 'yes' : 'no'
    const options = ['--port', port, '--bind', '127.0.0.1', '--dir', place.work, '--save', '', '--appendonly', appends]
    const key = () => `key:${random.int(1, 50)}`
    const commands = () =>
      random.pick([
        `SET ${key()} ${'v'.repeat(random.int(1, 200))}`,
        `GET ${key()}`,
        'INCR counter',
        `LPUSH list ${random.words(3).join(' ')}`,
        'LRANGE list 0 -1',
        `HSET hash ${random.words(2).join(' ')}`,
        `SETEX short 1 ${random.words(1)}`,
        'KEYS *',
        'INFO',
        `SET big ${'b'.repeat(random.int(20_000, 50_000))}`,
      ])
    const hasSave = random.chance(0.4)
    return {
      argv: ['/usr/bin/redis-server', ...options.map(String)],
      drive: async (pid) => {
        const ask = (...lines) => talk(port, [...lines, 'QUIT', ''].join('\r\n'))
        await waitForPort(() => ask('PING'))
        const client = async () => {
          for (let i = random.int(1, 6); i > 0; i--) await ask(...Array.from({ length: random.int(1, 20) }, commands))
        }
        await Promise.all(Array.from({ length: random.int(1, 4) }, client))
        if (hasSave) await ask('BGSAVE')
        process.kill(pid, 'SIGTERM')
      },
    }
  },
}
