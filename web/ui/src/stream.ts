// The one stream of changes. It ends only when told to; a lost connection is made again with the last event that was seen, so
// nothing is missing and nothing comes twice.

import { Problem, request } from './api'
import { merge, state } from './state'
import type { Alert, Command, Hold } from './types'

export interface ServerEvent { event: string, id: string, data: string }

/** parse takes whole events off the front of text and returns what is left. */
export function parse(text: string, take: (e: ServerEvent) => void): string {
  const blocks = text.split('\n\n')
  const rest = blocks.pop() ?? ''
  for (const block of blocks) {
    const e: ServerEvent = { event: 'message', id: '', data: '' }
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon)
      const value = line.slice(colon + 1).replace(/^ /, '')
      if (colon > 0 && (name === 'event' || name === 'id' || name === 'data')) e[name] = value
    }
    if (e.data) take(e)
  }
  return rest
}

const pause = 2000 // ms before the next try, unless the browser says it is online again
const silence = 40_000 // ms without a byte after which a connection is taken for dead; the server pings every 15 s

const resumable = 60_000 // ms without a byte after which all that is open is asked for anew: who looks may see more or less since

let current: AbortController | null = null
let heard = 0

interface Heard { command: Command, hold: Hold }
const hearers = { command: new Set<(c: Command) => void>(), hold: new Set<(h: Hold) => void>() }

/** hear tells of every state of commands or of holds from now on, until the returned function is called. While the connection is lost nothing is told. */
export function hear<K extends keyof Heard>(kind: K, tell: (what: Heard[K]) => void): () => void {
  const all = hearers[kind] as Set<typeof tell>
  all.add(tell)
  return () => { all.delete(tell) }
}

/** follow keeps the state up to date until stop. fresh is told of alerts that were not known before, or not as severe. */
export function follow(fresh: (alerts: Alert[]) => void) {
  stop()
  const control = new AbortController()
  current = control
  void run(control, fresh)
}

export function stop() {
  current?.abort()
  current = null
}

async function run(control: AbortController, fresh: (alerts: Alert[]) => void) {
  let first = !state.lastEvent
  while (current === control) {
    try {
      await once(control, (e) => {
        if (e.id) state.lastEvent = e.id
        const data = JSON.parse(e.data)
        if (e.event === 'command' || e.event === 'hold') return hearers[e.event].forEach(tell => tell(data))
        const snapshot = e.event === 'snapshot'
        const news = snapshot ? merge(data.alerts, true) : e.event === 'alert' ? merge([data]) : []
        if (news.length && !first) fresh(news)
        first = false
      })
    } catch (err) {
      if (err instanceof Problem && err.status === 401) return
    }
    if (current !== control) return
    state.link = 'lost'
    await rest(control.signal)
  }
}

async function once(control: AbortController, take: (e: ServerEvent) => void) {
  const watchdog = new AbortController()
  const signal = AbortSignal.any([control.signal, watchdog.signal])
  let timer = setTimeout(() => watchdog.abort(), silence)
  try {
    const headers: Record<string, string> = state.lastEvent && Date.now() - heard < resumable ? { 'Last-Event-ID': state.lastEvent } : {}
    const response = await request('api/v1/stream', { headers, signal })
    state.link = 'live'
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      heard = Date.now()
      clearTimeout(timer)
      timer = setTimeout(() => watchdog.abort(), silence)
      text = parse(text + value, take)
    }
  } finally {
    clearTimeout(timer)
  }
}

function rest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      removeEventListener('online', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, pause)
    addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}
