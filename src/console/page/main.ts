// The page of the console: logs in, shows what the fragment of its address names, and follows what changes.

import { byId, element } from '../../review/page/dom.ts'
import { showAlert } from './alert.ts'
import { LoggedOut, logIn, meet, post } from './ask.ts'
import type { Changes } from './data.ts'
import { showFingerprint } from './fingerprint.ts'
import { showHealth } from './health.ts'
import { type OnChanges, showAlerts, showSessions } from './lists.ts'
import { showPrograms } from './programs.ts'
import { showSession } from './session.ts'

let onChanges: OnChanges = () => {}
let live: EventSource | undefined
/** Of the view that is being shown: an answer that comes late must not draw over another one. */
let visit = 0

async function showView(): Promise<void> {
  const own = ++visit
  const [name = '', id = '', more] = (location.hash.slice(1) || 'alerts').split('/')
  onChanges = () => {}
  for (const link of document.querySelectorAll('nav a')) {
    if (link.getAttribute('href') === `#${name}`) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  try {
    const follow = await viewOf(name, id, more)
    if (own !== visit) return
    onChanges = follow
    document.title = `${document.querySelector('h1')?.textContent ?? ''} - tracefp`
    byId('status').textContent = ''
  } catch (error) {
    if (error instanceof LoggedOut) return showLogin('')
    byId('view').replaceChildren(element('h1', {}, 'Not there'), element('p', {}, (error as Error).message))
  }
  document.documentElement.classList.add('ready')
}

async function viewOf(name: string, id: string, more: string | undefined): Promise<OnChanges> {
  switch (name) {
    case 'sessions':
      return await showSessions()
    case 'session':
      return await showSession(id)
    case 'alert':
      return await showAlert(id)
    case 'programs':
      return await showPrograms()
    case 'fingerprint':
      return await showFingerprint(id, more)
    case 'health':
      return await showHealth()
    default:
      return await showAlerts()
  }
}

function follow(): void {
  live?.close()
  live = new EventSource('/api/live')
  live.addEventListener('changed', (event) => onChanges(JSON.parse((event as MessageEvent<string>).data) as Changes))
  live.onopen = () => byId('status').classList.remove('cut')
  live.onerror = () => {
    byId('status').textContent = 'The console does not answer: what is shown may be old.'
  }
}

function showLogin(problem: string): void {
  live?.close()
  byId('nav').hidden = true
  const token = element('input', { type: 'password', autocomplete: 'off', required: '' }) as HTMLInputElement
  const form = element(
    'form',
    {},
    element('label', {}, 'Token ', token),
    element('p', {}, element('button', { type: 'submit' }, 'Log in')),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void enter(token.value)
  })
  byId('view').replaceChildren(
    element('h1', {}, 'Log in'),
    element('p', {}, 'tracefp serve prints a link with the token.'),
    form,
    element('p', { role: 'alert' }, problem),
  )
  document.documentElement.classList.add('ready')
}

async function enter(token: string): Promise<void> {
  const problem = await logIn(token)
  if (problem === undefined) await begin()
  else showLogin(problem)
}

async function begin(): Promise<void> {
  try {
    await meet()
  } catch {
    return showLogin('')
  }
  byId('nav').hidden = false
  follow()
  await showView()
}

byId('log-out').addEventListener('click', () => {
  void post('/api/logout', {}).then(() => showLogin('You are logged out.'))
})
addEventListener('hashchange', () => {
  void showView().then(() => byId('view').focus())
})
const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1]
if (token === undefined) void begin()
else {
  // The token must not stay in the address, nor in the history.
  history.replaceState(null, '', '/#alerts')
  void enter(token)
}
