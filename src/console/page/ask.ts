// Asks the server. Whoever is not logged in is told so by a thrown LoggedOut; all else that fails has words.

export class LoggedOut extends Error {}

let csrf = ''

export async function get<T>(path: string): Promise<T> {
  return await answerOf<T>(await fetch(path, { credentials: 'same-origin' }))
}

export async function post<T>(path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json', 'x-tracefp-csrf': csrf }
  return await answerOf<T>(
    await fetch(path, { method: 'POST', credentials: 'same-origin', headers, body: JSON.stringify(body) }),
  )
}

/** Undefined when it is not the token. */
export async function logIn(token: string): Promise<string | undefined> {
  const response = await fetch('/api/login', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  })
  if (response.ok) return undefined
  const { error } = (await response.json()) as { error: string }
  return error
}

/** @throws LoggedOut. */
export async function meet(): Promise<void> {
  ;({ csrf } = await get<{ csrf: string }>('/api/me'))
}

async function answerOf<T>(response: Response): Promise<T> {
  if (response.status === 401) throw new LoggedOut()
  const body = (await response.json()) as T & { error?: string }
  if (!response.ok) throw new Error(body.error ?? `${response.status}`)
  return body
}
