// The calling conventions of one system call and their codes in records. The same codes stand in native/syscall/abi.h;
// a contract test compares them. A number is meaningless without its ABI: int 0x80 on x86-64 is i386, not x86_64.

export type AbiName = 'x86_64' | 'i386' | 'x32' | 'aarch64'

/** ABI codes of records. 0 is an ABI that tracefp does not know. x32 numbers come without the 0x40000000 bit. */
export const ABI_CODES: { readonly x86_64: 1; readonly i386: 2; readonly x32: 3; readonly aarch64: 4 } = {
  x86_64: 1,
  i386: 2,
  x32: 3,
  aarch64: 4,
}

/** Index = ABI code. */
export const ABI_NAMES: readonly ['unknown', 'x86_64', 'i386', 'x32', 'aarch64'] = [
  'unknown',
  'x86_64',
  'i386',
  'x32',
  'aarch64',
]

/** The ABI in which programs of this machine are usually built. */
export const NATIVE_ABI: AbiName = process.arch === 'arm64' ? 'aarch64' : process.arch === 'ia32' ? 'i386' : 'x86_64'
