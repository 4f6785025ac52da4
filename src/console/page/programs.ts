// Programs with the fingerprints that judged them, and the difference of two fingerprints.

import { byId, element } from '../../review/page/dom.ts'
import { get } from './ask.ts'
import type { Programs } from './data.ts'
import type { OnChanges } from './lists.ts'
import { button, link, tableOf } from './table.ts'

export async function showPrograms(): Promise<OnChanges> {
  const { programs, fingerprints } = await get<Programs>('/api/programs')
  const kept = new Set(fingerprints.map(({ sha256 }) => sha256))
  const choice = (): HTMLSelectElement => {
    const select = element('select', {}) as HTMLSelectElement
    for (const { file, sha256 } of fingerprints)
      select.append(element('option', { value: sha256 }, `${file} (${sha256.slice(0, 12)})`))
    return select
  }
  const [old, now] = [choice(), choice()]
  now.selectedIndex = Math.min(1, fingerprints.length - 1)
  const shown = element('pre', { tabindex: '0', 'aria-label': 'Difference' })
  const compare = async (): Promise<void> => {
    try {
      const query = new URLSearchParams({ old: old.value, new: now.value })
      shown.textContent = (await get<{ text: string }>(`/api/diff?${query}`)).text
    } catch (error) {
      shown.textContent = (error as Error).message
    }
  }
  byId('view').replaceChildren(
    element('h1', {}, 'Programs'),
    tableOf(
      'Programs that were judged',
      ['Program', 'Sessions', 'Misses', 'Last session', 'Fingerprints'],
      programs.map(({ program, sessionCount, missCount, lastSession, fingerprints: judged }) => [
        program,
        `${sessionCount}`,
        `${missCount}`,
        link(`session/${lastSession}`, lastSession),
        element(
          'span',
          {},
          ...judged
            .slice(0, 5)
            .flatMap(({ sha256 }) => [
              kept.has(sha256)
                ? link(`fingerprint/${sha256}`, sha256.slice(0, 12))
                : `${sha256.slice(0, 12)} (not kept)`,
              ' ',
            ]),
        ),
      ]),
    ),
    element('h2', {}, 'Fingerprints in the store'),
    tableOf(
      'Fingerprints in the store',
      ['File', 'Fingerprint', 'Learned for', 'Runs'],
      fingerprints.map(({ file, sha256, roots, runCount }) => [
        file,
        link(`fingerprint/${sha256}`, sha256.slice(0, 12)),
        roots.join(', '),
        `${runCount}`,
      ]),
    ),
    element('h2', {}, 'Difference'),
    ...(fingerprints.length < 2
      ? [element('p', {}, 'It takes two fingerprints in the store.')]
      : [
          element('label', {}, 'Old ', old),
          element('label', {}, 'New ', now),
          element(
            'p',
            {},
            button('Compare', () => void compare()),
          ),
          shown,
        ]),
  )
  return () => {}
}
