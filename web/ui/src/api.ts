// Every request of the pages goes through call. It carries the session's cookie by itself, or a token that was typed in.

import { newKey } from './key'
import { state } from './state'
import type { Alert, AlertDetail } from './types'

const tokenKey = 'linli.token'

/** Problem is an answer that is no success, in the server's own words and the language of the page. Status 0: the server was not reached. */
export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, text: string, readonly field = '') {
    super(text)
  }
}

let onLoggedOut = () => {}
/** whenLoggedOut sets what happens when the server no longer knows who we are. */
export function whenLoggedOut(f: () => void) { onLoggedOut = f }

export const token = {
  get: () => sessionStorage.getItem(tokenKey) ?? '',
  set: (v: string) => sessionStorage.setItem(tokenKey, v),
  clear: () => sessionStorage.removeItem(tokenKey),
}

/** request sends one request and returns its successful answer; everything else is thrown as a Problem. */
export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers)
  headers.set('Accept-Language', state.language) // of what is wrong, should anything be
  if (token.get()) headers.set('Authorization', 'Bearer ' + token.get())
  let response: Response
  try {
    response = await fetch(path, { ...options, headers })
  } catch (err) {
    if (options.signal?.aborted) throw err
    throw new Problem(0, 'unreachable', '')
  }
  if (response.ok) return response
  const problem = await explain(response)
  if (response.status === 401) onLoggedOut()
  throw problem
}

async function explain(response: Response): Promise<Problem> {
  const body = await response.json().catch(() => ({}))
  return new Problem(response.status, body.code ?? '', body.detail ?? body.title ?? response.statusText, body.field ?? '')
}

/** load reads JSON. Parameters that are empty are left out. */
export async function load<T>(path: string, params: Record<string, unknown> = {}, signal?: AbortSignal): Promise<T> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== '') query.set(name, String(value))
  }
  const tail = query.size ? '?' + query : ''
  return (await request('api/v1/' + path + tail, { signal })).json()
}

/** send writes JSON and reads what came of it. */
export async function send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const options: RequestInit = { method, headers }
  if (body !== undefined) {
    options.body = JSON.stringify(body)
    headers['Content-Type'] = 'application/json'
  }
  const response = await request('api/v1/' + path, options)
  const text = await response.text()
  return (text ? JSON.parse(text) : undefined) as T
}

/** act does something with an alert. The same press tried again after a lost answer does nothing twice. */
export function act(id: string, kind: string, body: Record<string, unknown> = {}): Promise<Alert> {
  return send<Alert>('POST', `alerts/${encodeURIComponent(id)}/${kind}`, body, { 'Idempotency-Key': newKey() })
}

export const loadAlert = (id: string, signal?: AbortSignal) => load<AlertDetail>('alerts/' + encodeURIComponent(id), {}, signal)
