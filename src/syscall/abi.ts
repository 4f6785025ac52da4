// The calling conventions of one system call and their codes in records. Codes 1 to 4 stand in native/syscall/abi.h too; a
// contract test compares them. The others occur in logs only: no record of the ring has one. A number is meaningless
// without its ABI: int 0x80 on x86-64 is i386, not x86_64.

/** The ABIs that the kernel under an engine can have. */
export type LinuxAbiName = 'x86_64' | 'i386' | 'x32' | 'aarch64'

/** `windows-nt`: named by the service, numbers change with each build. `user`: that of a user's own mapping file. */
export type AbiName = LinuxAbiName | 'windows-nt' | 'user'

/** ABI codes of records. 0 is an ABI that tracefp does not know. x32 numbers come without the 0x40000000 bit. */
export const ABI_CODES: Readonly<{
  x86_64: 1
  i386: 2
  x32: 3
  aarch64: 4
  'windows-nt': 5
  user: 6
}> = { x86_64: 1, i386: 2, x32: 3, aarch64: 4, 'windows-nt': 5, user: 6 }

/** The code of symbols that have no number: names in a log that its mapping does not know. See naming.ts. */
export const NAMED_ABI = 7

/** Index = ABI code. */
export const ABI_NAMES: readonly ['unknown', 'x86_64', 'i386', 'x32', 'aarch64', 'windows-nt', 'user'] = [
  'unknown',
  'x86_64',
  'i386',
  'x32',
  'aarch64',
  'windows-nt',
  'user',
]

/** The ABI in which programs of this machine are usually built. */
export const NATIVE_ABI: LinuxAbiName =
  process.arch === 'arm64' ? 'aarch64' : process.arch === 'ia32' ? 'i386' : 'x86_64'
