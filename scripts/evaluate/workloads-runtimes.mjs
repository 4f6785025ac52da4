// Normal work for language runtimes: node, python3, perl, bash. The scripts stay the same, for their text is part of a
// program's identity; what varies is what they are told to do.

export const NODE = {
  name: 'node',
  what: 'worker threads, child processes, files, a TCP echo',
  needs: [],
  prepare(place) {
    place.write('scripts/work.mjs', NODE_SCRIPT)
  },
  run(place, random) {
    const { int } = random
    const jobs = [`workers=${int(1, 3)}`, `children=${int(1, 3)}`, `files=${int(1, 12)}`, `echoes=${int(0, 6)}`]
    return { argv: [process.execPath, `${place.root}/scripts/work.mjs`, ...jobs, `bytes=${int(10, 90_000)}`] }
  },
}

const NODE_SCRIPT = `
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { promisify } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'

if (!isMainThread) {
  let sum = 0
  for (let i = 0; i < workerData.rounds; i++) sum += createHash('sha256').update(String(i)).digest()[0]
  parentPort.postMessage(sum)
} else {
  const wanted = Object.fromEntries(process.argv.slice(2).map((text) => text.split('=')))
  const times = (count, what) => Promise.all(Array.from({ length: Number(count) }, (_, i) => what(i)))
  const worker = (i) => new Promise((resolve, reject) => {
    const started = new Worker(new URL(import.meta.url), { workerData: { rounds: 500 * (i + 1) } })
    started.on('message', resolve).on('error', reject)
  })
  await mkdir('files')
  await times(wanted.files, (i) => writeFile('files/' + i, gzipSync(Buffer.alloc(Number(wanted.bytes), 65 + i))))
  for (const name of await readdir('files')) await readFile('files/' + name)
  await times(wanted.workers, worker)
  await times(wanted.children, (i) => promisify(execFile)('/bin/echo', ['child', String(i)]))
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  await times(wanted.echoes, (i) => new Promise((resolve, reject) => {
    const socket = connect(server.address().port, '127.0.0.1', () => socket.end('x'.repeat(1000 * (i + 1))))
    socket.on('error', reject).on('close', resolve).resume()
  }))
  server.close()
  await rm('files', { recursive: true })
}
`

export const PYTHON = {
  name: 'python3',
  what: 'threads and a queue, files, JSON, sometimes a child process',
  needs: ['/usr/bin/python3'],
  prepare(place) {
    place.write('scripts/work.py', PYTHON_SCRIPT)
  },
  run(place, random) {
    const { int, chance } = random
    const values = [int(1, 4), int(3, 30), int(10, 60_000), chance(0.4) ? 1 : 0].map(String)
    return { argv: ['/usr/bin/python3', `${place.root}/scripts/work.py`, ...values] }
  },
}

const PYTHON_SCRIPT = `
import hashlib, json, os, queue, subprocess, sys, tempfile, threading

threads, jobs, size, with_child = (int(text) for text in sys.argv[1:])
todo, done = queue.Queue(), []
lock = threading.Lock()

def work():
    while True:
        job = todo.get()
        if job is None:
            return
        name = 'file-%d' % job
        with open(name, 'wb') as file:
            file.write(os.urandom(64) * (size // 64 + 1))
        with open(name, 'rb') as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        with lock:
            done.append((job, digest))

pool = [threading.Thread(target=work) for _ in range(threads)]
for thread in pool:
    thread.start()
for job in range(jobs):
    todo.put(job)
for _ in pool:
    todo.put(None)
for thread in pool:
    thread.join()
with tempfile.NamedTemporaryFile('w', dir='.') as file:
    json.dump(sorted(done), file)
    file.flush()
    print(os.stat(file.name).st_size)
if with_child:
    print(subprocess.run(['/bin/ls', '-l'], capture_output=True, text=True).stdout.count(chr(10)))
for name in os.listdir('.'):
    os.remove(name)
`

export const PERL = {
  name: 'perl',
  what: 'files, sorting, pipes from and to children, fork and wait',
  needs: ['/usr/bin/perl'],
  prepare(place) {
    place.write('scripts/work.pl', PERL_SCRIPT)
  },
  run(place, random) {
    const values = [random.int(1, 8), random.int(100, 30_000), random.int(0, 3), random.chance(0.5) ? 1 : 0].map(String)
    return { argv: ['/usr/bin/perl', `${place.root}/scripts/work.pl`, ...values] }
  },
}

const PERL_SCRIPT = `
use strict; use warnings; use File::Temp qw(tempfile); use POSIX qw(strftime);
my ($files, $lines, $children, $pipe) = @ARGV;
for my $i (1 .. $files) {
  open(my $out, '>', "file-$i") or die $!;
  print $out "line $_ of $i\\n" for 1 .. $lines / $files;
  close $out;
}
my %count;
for my $name (glob 'file-*') {
  open(my $in, '<', $name) or die $!;
  while (<$in>) { $count{$1}++ if /(\\d+) of/ }
  close $in;
}
my ($temp, $name) = tempfile(DIR => '.');
print $temp "$_ $count{$_}\\n" for sort { $a <=> $b } keys %count;
close $temp;
for my $i (1 .. $children) {
  my $pid = fork();
  if (!$pid) { exit 0 }
  waitpid $pid, 0;
}
if ($pipe) {
  open(my $from, '-|', 'sort', '-rn', $name) or die $!;
  my @sorted = <$from>;
  close $from;
  open(my $to, '|-', 'wc', '-l') or die $!;
  print $to @sorted;
  close $to;
}
print strftime('%Y-%m-%d', gmtime), "\\n";
unlink glob('file-*'), $name;
`

export const BASH = {
  name: 'bash',
  what: 'functions, pipes, traps, subshells, here documents, background jobs',
  needs: ['/bin/bash'],
  prepare(place) {
    place.write('scripts/work.sh', BASH_SCRIPT)
  },
  run(place, random) {
    const values = [random.int(1, 6), random.int(0, 3), ...random.words(random.int(2, 8))].map(String)
    return { argv: ['/bin/bash', `${place.root}/scripts/work.sh`, ...values] }
  },
}

const BASH_SCRIPT = `
set -u
files=$1 jobs=$2; shift 2
trap 'rm -f ./*.txt ./*.count' EXIT
trap 'usr1=1' USR1
usr1=0
make_file() { printf '%s\\n' "$@" > "$1.txt"; }
count() { ( wc -l < "$1" ) > "\${1%.txt}.count"; }
for word in "$@"; do make_file "$word" "$@"; done
for ((i = 0; i < files; i++)); do
  name=$(ls ./*.txt | sort -r | head -n 1)
  count "$name"
done
cat ./*.txt | tr a-z A-Z | sort | uniq -c | sort -rn > all.count
for ((i = 0; i < jobs; i++)); do { sleep 0.0$i; echo "job $i" > "job$i.count"; } & done
wait
kill -USR1 $$
read -r first < all.count
while read -r number word; do [[ $word == A* ]] && echo "$number $word"; done < all.count
cat <<TEXT
$first $usr1 $(date +%Y)
TEXT
[ -s all.count ] && echo done || echo empty
`
