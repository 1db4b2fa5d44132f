// How the page asks the server: by the token of the link behind the #, or with an account for one of its elders.

const patience = 15_000 // ms, for one answer

export class Refused extends Error {
  constructor(readonly status: number, readonly code: string, readonly text = '') { super(String(status)) }
}

/** ask sends a request. A Refused is the server's answer; anything else thrown means that the network did not carry it. */
export async function ask<T>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
  const early = method === 'GET' ? takeEarly(path) : undefined
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), patience)
  try {
    const response = await (early ?? fetch(path, {
      method, signal: stop.signal, body: body === undefined ? undefined : JSON.stringify(body),
      headers: { 'Accept-Language': document.documentElement.lang, ...body === undefined ? {} : { 'Content-Type': 'application/json' }, ...key ? { 'Idempotency-Key': key } : {} },
    }))
    if (!response.ok) {
      if (response.status >= 500 || response.status === 429) throw new Error(String(response.status))
      const said = await response.json().catch(() => ({})) as { code?: string, detail?: string }
      throw new Refused(response.status, said.code ?? '', said.detail)
    }
    return await response.json() as T
  } finally {
    clearTimeout(timer)
  }
}

// What early.js has asked for while the page was loading.
function takeEarly(path: string): Promise<Response> | undefined {
  const w = window as unknown as { linliEarly?: Promise<Response> }
  const early = path === base(location.hash.slice(1)) ? w.linliEarly : undefined
  if (early) delete w.linliEarly
  return early
}

/** base is the path of a page: a token has a dot, the id of an elder has none. */
export const base = (who: string) => who.includes('.') ? 'api/v1/family/' + encodeURIComponent(who) : `api/v1/people/${encodeURIComponent(who)}/family`
