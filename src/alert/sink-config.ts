// What a sink is told by, as the policy says it.

import { isAbsolute } from 'node:path'
import type { Section } from './toml-section.ts'

interface Named {
  /** Names its spool: letters, digits, `-` and `_`. */
  readonly name: string
}

export type SinkConfig = Named &
  (
    | { readonly type: 'stderr' }
    | { readonly type: 'jsonl'; readonly file: string }
    | {
        readonly type: 'syslog'
        readonly transport: 'local' | 'udp' | 'tcp'
        readonly host: string
        readonly port: number
        readonly path: string
      }
    | {
        readonly type: 'webhook'
        readonly url: string
        /** A file that holds the key of the HMAC. */
        readonly secretFile: string | null
        readonly template: 'event' | 'slack'
      }
    | { readonly type: 'textfile'; readonly file: string }
    | { readonly type: 'exec'; readonly command: readonly string[] }
  )

const TYPES = ['stderr', 'jsonl', 'syslog', 'webhook', 'textfile', 'exec'] as const

/** @throws TracefpError TFP_ERR_ALERT_POLICY. */
export function sinkOf(section: Section): SinkConfig {
  const type = section.oneOf('type', TYPES)
  if (type === undefined) throw section.error('type', `expected one of ${TYPES.join(', ')}`)
  const name = section.text('name') ?? type
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(name)) throw section.error('name', 'expected letters, digits, - and _')
  const config = configOf(type, name, section)
  section.end()
  return config
}

function configOf(type: (typeof TYPES)[number], name: string, section: Section): SinkConfig {
  switch (type) {
    case 'stderr':
      return { name, type }
    case 'jsonl':
    case 'textfile':
      return { name, type, file: pathOf(section, 'file') }
    case 'syslog': {
      const transport = section.oneOf('transport', ['local', 'udp', 'tcp']) ?? 'local'
      return {
        name,
        type,
        transport,
        host: section.text('host') ?? '127.0.0.1',
        port: section.number('port', 1, 65535) ?? (transport === 'tcp' ? 601 : 514),
        path: section.text('path') ?? '/dev/log',
      }
    }
    case 'webhook': {
      const secret = section.text('secret_file')
      if (secret !== undefined && !isAbsolute(secret)) throw section.error('secret_file', 'expected an absolute path')
      return {
        name,
        type,
        url: urlOf(section),
        secretFile: secret ?? null,
        template: section.oneOf('template', ['event', 'slack']) ?? 'event',
      }
    }
    case 'exec': {
      const command = section.texts('command') ?? []
      if (command[0] === undefined || !isAbsolute(command[0])) {
        throw section.error('command', 'expected a list that begins with an absolute path')
      }
      return { name, type, command }
    }
  }
}

function pathOf(section: Section, key: string): string {
  const file = section.text(key)
  if (file === undefined || !isAbsolute(file)) throw section.error(key, 'expected an absolute path')
  return file
}

function urlOf(section: Section): string {
  const text = section.text('url') ?? ''
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw section.error('url', 'expected an http(s) URL')
  return url.href
}
