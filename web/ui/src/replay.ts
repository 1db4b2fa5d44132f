// Judging stored history by rules: what would have opened, as the server finds it, beside what really did.

import { Problem, request } from './api'
import type { Alert } from './types'

/** Would is an alert that history leads to. */
export interface Would { alert: Alert, ended?: string }

/** Row is one alert of the comparison: of the replay, really opened, or both. */
export interface Row { key: string, at: string, device: string, would?: Would, real?: Alert }

interface Line { kind?: string, at?: string, alert?: Alert, until?: string, done?: boolean, error?: string }

/** Findings collects what a replay says, line by line. */
export class Findings {
  readonly would = new Map<string, Would>()
  until = ''
  done = false

  take(line: Line) {
    if (line.error) throw new Problem(500, 'replay', line.error)
    if (line.done) this.done = true
    if (line.until) this.until = line.until
    if (!line.alert || !line.kind) return
    const known = this.would.get(line.alert.id)
    this.would.set(line.alert.id, { alert: known?.alert ?? line.alert, ended: line.kind === 'cleared' ? line.at : undefined })
  }
}

/** replay asks the server and hands on each line as it comes, until it is done or signal ends it. */
export async function replay(body: unknown, take: (line: Line) => void, signal: AbortSignal): Promise<void> {
  const response = await request('api/v1/rules/replay', { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' }, signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const lines = (rest + value).split('\n')
    rest = lines.pop()!
    for (const line of lines) take(JSON.parse(line) as Line)
  }
}

const near = 60_000 // ms between two openings that are taken for one

/** compare sets both side by side, the newest first. */
export function compare(would: Iterable<Would>, real: Alert[]): Row[] {
  const left = new Set(real)
  const rows: Row[] = []
  for (const w of would) {
    const same = [...left].find(a => a.device === w.alert.device && a.rule === w.alert.rule && Math.abs(Date.parse(a.opened_at) - Date.parse(w.alert.opened_at)) <= near)
    if (same) left.delete(same)
    rows.push({ key: 'w' + w.alert.id, at: w.alert.opened_at, device: w.alert.device, would: w, real: same })
  }
  for (const a of left) rows.push({ key: 'r' + a.id, at: a.opened_at, device: a.device, real: a })
  return rows.sort((a, b) => b.at.localeCompare(a.at) || a.key.localeCompare(b.key))
}
