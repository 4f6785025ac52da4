// Normal work for command line tools, alone or put together by a shell.

const SOURCES = ['alpha', 'bravo', 'charlie', 'delta', 'echo']
const sh = (...commands) => ['/bin/sh', '-c', commands.join('\n')]

/** Some files below work/data. Answers their names. */
function scatter(place, random, { files = [3, 25], bytes = 20_000 } = {}) {
  return Array.from({ length: random.int(...files) }, (_, i) => {
    const folder = random.pick(['', 'one/', 'one/two/', 'three/'])
    const name = `data/${folder}${random.pick(['a', 'b', 'c'])}${i}${random.pick(['.txt', '.c', '.log', ''])}`
    place.write(`work/${name}`, random.text(random.int(0, bytes)))
    return name
  })
}

export const GIT = {
  name: 'git',
  what: 'init, add, commit, log, diff, branch, merge, stash, gc on a scratch repository',
  needs: ['/usr/bin/git'],
  run(_place, random) {
    const steps = ['git init -q -b main .', 'git config user.name n', 'git config user.email n@example.org']
    const commit = (i) => [
      `echo ${i} ${random.words(6).join(' ')} >> ${random.pick(SOURCES)}`,
      'git add -A',
      `git commit -qm c${i}`,
    ]
    const count = random.int(2, 6)
    for (let i = 0; i < count; i++) steps.push(...commit(i))
    const extras = [
      ['git log --oneline --stat'],
      ['git log -p -n 2'],
      ['git status -s'],
      ['git branch side', ...commit('x'), 'git branch -v'],
      [`echo more >> ${random.pick(SOURCES)}`, 'git diff', 'git stash -q', 'git stash pop -q', 'git commit -qam s'],
      ['git checkout -q -b topic', ...commit('t'), 'git checkout -q main', 'git merge -q --no-edit topic'],
      ['git tag v1', 'git show v1'],
      ['git gc -q'],
      ['git rev-parse HEAD', 'git ls-files', 'git cat-file -p HEAD'],
      ['git clone -q . copy', 'rm -rf copy'],
    ]
    for (const extra of random.shuffled(extras)) if (random.chance(0.5)) steps.push(...extra)
    const env = { GIT_CONFIG_NOSYSTEM: '1', GIT_PAGER: 'cat', GIT_TERMINAL_PROMPT: '0' }
    return { argv: sh(...steps), env }
  },
}

export const GCC = {
  name: 'gcc',
  what: 'compiles one to four small files in several ways; cc1, as, collect2 and ld are its children',
  needs: ['/usr/bin/gcc'],
  run(place, random) {
    const names = SOURCES.slice(0, random.int(1, 4))
    for (const name of names) {
      const body = Array.from(
        { length: random.int(1, 12) },
        (_, i) => `  total += ${i} * printf("${name} %d\\n", total);`,
      )
      const headers = [
        'stdio.h',
        ...random.shuffled(['stdlib.h', 'string.h', 'math.h', 'errno.h']).slice(0, random.int(0, 3)),
      ]
      const lines = [...headers.map((header) => `#include <${header}>`), `int ${name}(int total) {`, ...body]
      place.write(`work/${name}.c`, `${lines.join('\n')}\n  return total;\n}\n`)
    }
    const calls = names.map((name) => `${name}(0)`).join(' + ')
    const declarations = names.map((name) => `int ${name}(int);`).join('\n')
    place.write('work/main.c', `${declarations}\nint main(void) { return ${calls}; }\n`)
    const files = ['main', ...names].map((name) => `${name}.c`)
    const options = [
      `-O${random.int(0, 2)}`,
      ...(random.chance(0.4) ? ['-g'] : []),
      ...(random.chance(0.3) ? ['-Wall'] : []),
    ]
    const mode = random.pick([
      ['-o', 'program'],
      ['-o', 'program'],
      ['-c'],
      ['-S'],
      ['-pipe', '-o', 'program'],
      ['-static', '-o', 'p'],
    ])
    return { argv: ['/usr/bin/gcc', ...options, ...mode, ...files] }
  },
}

export const MAKE = {
  name: 'make',
  what: 'a small project with 2 to 4 jobs, a rebuild of a part, clean',
  needs: ['/usr/bin/make'],
  run(place, random) {
    const files = scatter(place, random, { files: [3, 12], bytes: 4000 })
    for (const [i, name] of files.entries()) place.write(`work/src/${i}.in`, `${name}\n${random.text(500)}`)
    place.write('work/Makefile', MAKEFILE)
    const jobs = random.int(2, 4)
    const steps = [`make -j${jobs}`]
    if (random.chance(0.6)) steps.push('sleep 0.01', 'touch src/0.in', `make -j${jobs}`)
    if (random.chance(0.3)) steps.push('make -n')
    if (random.chance(0.5)) steps.push('make -s clean')
    return { argv: sh(...steps) }
  },
}

const MAKEFILE = `
inputs := $(wildcard src/*.in)
outputs := $(inputs:src/%.in=out/%.out)
all: out/index
out/index: $(outputs)
\tcat $(outputs) | sort -u > $@
out/%.out: src/%.in | out
\tsed -e 's/alpha/ALPHA/' $< > $@.new && mv $@.new $@
out:
\tmkdir -p $@
clean:
\trm -rf out
.PHONY: all clean
`

export const TAR = {
  name: 'tar | gzip',
  what: 'packs, lists and unpacks trees of files, under sh',
  needs: ['/usr/bin/tar', '/usr/bin/gzip'],
  run(place, random) {
    scatter(place, random, { bytes: random.pick([2000, 60_000]) })
    const steps = [`tar -cf - data | gzip -${random.int(1, 9)} > data.tar.gz`]
    if (random.chance(0.6)) steps.push('tar -tzf data.tar.gz')
    if (random.chance(0.6)) steps.push('mkdir copy', 'gzip -dc data.tar.gz | tar -xf - -C copy')
    if (random.chance(0.4)) steps.push(`tar --exclude='*.log' -czf some.tar.gz data`, 'gzip -t some.tar.gz')
    if (random.chance(0.3)) steps.push('gzip -l data.tar.gz', 'gunzip data.tar.gz')
    return { argv: sh(...steps) }
  },
}

export const FIND = {
  name: 'find, grep, sort',
  what: 'searches in a tree, under sh, with pipes and xargs',
  needs: ['/usr/bin/find', '/bin/grep', '/usr/bin/sort'],
  run(place, random) {
    scatter(place, random)
    const word = random.words(1)[0]
    const steps = [
      [`find data -type f -name '*.${random.pick(['txt', 'c', 'log'])}' | sort`],
      [`find data -type f -print0 | xargs -0 grep -l ${word} | sort -r`],
      [`grep -rc ${word} data | sort -t: -k2 -n`],
      [`find data -size +${random.int(1, 8)}k -exec grep -n ${word} {} + | sort -u | head -n 5`],
      [`find data -type d | sort > list`, 'grep -c one list'],
      [`grep -rhoiE '${word}|golf' data | sort | uniq -c | sort -rn`],
    ]
    return { argv: sh(...random.shuffled(steps).slice(0, random.int(2, 5)).flat()) }
  },
}

export const OPENSSL = {
  name: 'openssl',
  what: 'digests, ciphers, keys, certificates, signatures, under sh',
  needs: ['/usr/bin/openssl'],
  run(place, random) {
    place.write('work/data', random.text(random.int(10, 300_000)))
    const steps = [
      [`openssl dgst -${random.pick(['sha256', 'sha1', 'sha512', 'md5'])} data`],
      [`openssl rand -hex ${random.int(8, 64)}`],
      [
        'openssl enc -aes-256-cbc -pbkdf2 -k word -in data -out data.enc',
        'openssl enc -d -aes-256-cbc -pbkdf2 -k word -in data.enc -out data.2',
      ],
      [
        'openssl ecparam -genkey -name prime256v1 -noout -out ec.pem',
        'openssl dgst -sha256 -sign ec.pem -out data.sig data',
      ],
      [
        'openssl req -x509 -newkey rsa:1024 -nodes -keyout key.pem -out cert.pem -subj /CN=example -days 2',
        'openssl x509 -in cert.pem -noout -subject',
      ],
      ['openssl base64 -in data -out data.64', 'openssl base64 -d -in data.64 -out data.bin'],
      ['openssl ciphers'],
    ]
    return { argv: sh(...random.shuffled(steps).slice(0, random.int(2, 5)).flat()) }
  },
}

export const SQLITE = {
  name: 'sqlite3',
  what: 'tables, transactions, indexes, queries, WAL or rollback journal, VACUUM, .dump',
  needs: ['/usr/bin/sqlite3'],
  run(place, random) {
    const lines = [`PRAGMA journal_mode=${random.pick(['wal', 'delete', 'truncate'])};`]
    lines.push('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER);')
    const insert = (n) => `INSERT INTO t (name, n) VALUES ('${random.words(random.int(1, 40)).join(' ')}', ${n});`
    const inserts = (count) => Array.from({ length: count }, (_, i) => insert(i))
    const work = [
      ['BEGIN;', ...inserts(random.int(10, 600)), 'COMMIT;'],
      inserts(random.int(2, 12)),
      ['CREATE INDEX i ON t (n);', 'SELECT name FROM t WHERE n = 7;'],
      ['SELECT n % 7, count(*), max(length(name)) FROM t GROUP BY 1 ORDER BY 2 DESC;'],
      ['UPDATE t SET n = n + 1 WHERE id % 3 = 0;', 'DELETE FROM t WHERE id % 5 = 0;'],
      ['BEGIN;', ...inserts(5), 'ROLLBACK;'],
      ['VACUUM;'],
      ['.dump'],
      ['PRAGMA integrity_check;'],
      ['ATTACH "other.db" AS o;', 'CREATE TABLE o.t AS SELECT * FROM t;'],
    ]
    for (const part of random.shuffled(work)) if (random.chance(0.6)) lines.push(...part)
    place.write('work/input.sql', `${lines.join('\n')}\n`)
    return { argv: ['/usr/bin/sqlite3', 'test.db', '.read input.sql'] }
  },
}
