// One state. What the server says of alerts comes in through merge alone, whether from the stream or from an answer.

import { computed, reactive, shallowReactive } from 'vue'
import { severities, type Alert, type Community, type Severity, type User } from './types'

export type Link = 'connecting' | 'live' | 'lost'
export type Language = 'zh' | 'en'
export type Theme = 'auto' | 'light' | 'dark'

const keepClosed = 500

export const state = reactive({
  user: null as User | null,
  communities: [] as Community[],
  community: localStorage.getItem('linli.community') ?? '', // shown; empty: all
  language: (localStorage.getItem('linli.language') ?? 'zh') as Language,
  theme: (localStorage.getItem('linli.theme') ?? 'auto') as Theme,
  sound: localStorage.getItem('linli.sound') !== 'off',
  link: 'connecting' as Link,
  lastEvent: '',
  now: Date.now(),
})

/** seesAll says whether who is logged in sees what is not of one elder: figures, rules, who was told. The server has the last word. */
export const seesAll = () => ['admin', 'manager', 'duty', 'auditor'].includes(state.user?.role ?? '')

/** alerts holds every alert that is not closed, and the last that were: a late answer must not bring one back. */
export const alerts = shallowReactive(new Map<string, Alert>())

/** merge takes in what is known of alerts, and returns what is new or has become more severe. A snapshot is all that is open: what it does not name has ended. */
export function merge(changes: Alert[], snapshot = false): Alert[] {
  const fresh: Alert[] = []
  if (snapshot) {
    const named = new Set(changes.map(a => a.id))
    for (const [id, a] of alerts) if (!named.has(id) && a.state !== 'closed') alerts.delete(id)
  }
  for (const a of changes) {
    const known = alerts.get(a.id)
    if (known && known.events >= a.events) continue
    if ((!known || severityRank(a) < severityRank(known)) && a.state !== 'closed') fresh.push(a)
    alerts.delete(a.id) // so that the map is in the order of the last change
    alerts.set(a.id, Object.freeze(a))
  }
  forget()
  return fresh
}

function forget() {
  let closed = 0
  for (const a of alerts.values()) if (a.state === 'closed') closed++
  for (const [id, a] of alerts) {
    if (closed <= keepClosed) return
    if (a.state === 'closed') { alerts.delete(id); closed-- }
  }
}

const rank = Object.fromEntries(severities.map((s, i) => [s, i])) as Record<Severity, number>
export const severityRank = (a: Alert) => rank[a.severity] ?? severities.length

/** compare puts what nobody looks after first, then the severe, then the oldest. */
export function compare(a: Alert, b: Alert): number {
  return severityRank(a) - severityRank(b) || Number(!!a.acknowledged_at) - Number(!!b.acknowledged_at) ||
    a.opened_at.localeCompare(b.opened_at) || a.id.localeCompare(b.id)
}

export const openAlerts = computed(() => [...alerts.values()]
  .filter(a => a.state !== 'closed' && (!state.community || a.community === state.community)).sort(compare))

/** newest are those of open alerts that nobody looks after, the severe and then the last first: in a long list they stand far below. */
export const newest = (all: Alert[], most: number) => all.filter(a => !a.acknowledged_at)
  .sort((a, b) => severityRank(a) - severityRank(b) || b.opened_at.localeCompare(a.opened_at)).slice(0, most)

/** openBy counts open alerts of every community, whichever is shown. */
export const openBy = computed(() => {
  const counts: Record<string, number> = {}
  for (const a of alerts.values()) if (a.state !== 'closed') counts[a.community] = (counts[a.community] ?? 0) + 1
  return counts
})

export const community = (id: string) => state.communities.find(c => c.id === id)

/** remember keeps a choice of this person in this browser. */
export function remember(name: 'community' | 'language' | 'theme' | 'sound', value: string) {
  localStorage.setItem('linli.' + name, value)
}
