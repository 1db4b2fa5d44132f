// Silences, maintenance windows and commissioning, as the holds page and the board show them.

import { computed, shallowReactive, watch } from 'vue'
import { load } from './api'
import { pick } from './format'
import { named } from './names'
import { ping } from './sound'
import { community, seesAll, state } from './state'
import { hear } from './stream'
import { word } from './texts'
import type { Hold } from './types'

/** pending is a silence of life-safety that keeps nothing back yet: a second person is to confirm it. */
export const pending = (h: Hold) => !!h.safety && !h.confirmed_by

/** mayConfirm says whether who is logged in can be that person; the server has the last word. */
export const mayConfirm = (h: Hold) => pending(h) && maySilence() && state.user?.name !== h.by && state.user?.via !== 'admin_token' && (!h.by_person || state.user?.person !== h.by_person)

export const maySilence = () => ['admin', 'manager', 'duty'].includes(state.user?.role ?? '')

/** place is where a hold is in force. */
export const place = (h: Hold) => pick(community(h.match.community ?? '')?.name)

function said(what: string, v: string): string {
  if (what === 'device') return named('devices/', v)
  if (what === 'person') return named('people/', v)
  return ['severity', 'category'].includes(what) ? word(what, v) : v
}

/** matched is what a hold is about within its community, by name. */
export const matched = (h: Hold) => Object.entries(h.match).filter(([k, v]) => k !== 'community' && v).map(([k, v]) => said(k, v)).join(' · ')

const known = shallowReactive(new Map<string, Hold>())

/** safetySilences are those of life-safety that are in force or wait for a second person, in the communities that are shown. */
export const safetySilences = computed(() => [...known.values()].filter(h => !h.ended_at && Date.parse(pending(h) ? h.confirm_by! : h.until) > state.now && (!state.community || h.match.community === state.community)))

/** toConfirm are those of them that wait for who is logged in. */
export const toConfirm = computed(() => safetySilences.value.filter(mayConfirm))

/** takeSilence takes in a silence of life-safety as it is now. */
export function takeSilence(h: Hold) {
  if (h.safety) known.set(h.id, Object.freeze(h))
}

/** followSilences keeps them up to date: asked for whenever the connection is there again, then as the server tells. One that waits is heard. */
export function followSilences() {
  hear('hold', takeSilence)
  watch(() => [state.link, state.user?.name] as const, async ([link, user], before) => {
    if (user !== before?.[1]) known.clear()
    if (link !== 'live' || !user || !seesAll()) return
    const { holds } = await load<{ holds: Hold[] }>('silences').catch(() => ({ holds: [] }))
    holds.forEach(takeSilence)
  }, { immediate: true })
  watch(() => toConfirm.value.map(h => h.id), (now, before) => { if (now.some(id => !before.includes(id))) ping() })
}
