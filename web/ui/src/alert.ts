// What the duty board and the page of an alert both show of one alert.

import { computed } from 'vue'
import { load, loadAlert } from './api'
import { clock, valueText } from './format'
import { alerts, seesAll } from './state'
import { t, word } from './texts'
import type { Entry } from './parts/Timeline.vue'
import type { Alert, AlertDetail, AlertEvent, WhyEntry } from './types'
import { useLoad } from './use'

const receipts = 5000 // ms between two looks at how far the messages of an alert have come
const settled = 10 * 60e3 // ms after the last change of an alert; then they are not looked at any more

/**
 * useAlert loads an alert with its history and who was told, again whenever the stream says that it changed. How far the messages have
 * come is no change of the alert, so that is asked for now and then. why is undefined while it is not known, toldError why not.
 */
export function useAlert(id: () => string | undefined) {
  const sees = seesAll() // families see an alert, but not the whole of who was told
  const changed = () => `${id()} ${alerts.get(id() ?? '')?.events}`
  const loaded = useLoad(async (signal) => {
    const wanted = id()
    return wanted ? loadAlert(wanted, signal) : undefined
  }, changed)
  const alert = computed<AlertDetail | undefined>(() => {
    const known = loaded.data.value
    return known && known.id === id() ? newer(known, alerts.get(known.id)) : undefined
  })
  const told = useLoad(async (signal) => {
    const wanted = id()
    if (!wanted || !sees) return undefined
    const { why } = await load<{ why: WhyEntry[] }>(`alerts/${encodeURIComponent(wanted)}/why`, {}, signal)
    return { alert: wanted, why }
  }, changed, () => !id() || !sees || loaded.error.value || alert.value && isSettled(alert.value) ? 0 : receipts)
  const why = computed(() => !sees ? [] : told.data.value?.alert === id() ? told.data.value!.why : undefined)
  return { alert, why, error: loaded.error, toldError: told.error, reload: () => Promise.all([loaded.reload(), told.reload()]) }
}

const isSettled = (a: AlertDetail) => Date.now() - Date.parse(a.history.at(-1)?.at ?? a.opened_at) > settled

/** newer is an alert as it was loaded, and as the stream knows it where that is ahead. */
const newer = (loaded: AlertDetail, live?: Alert): AlertDetail => live && live.events >= loaded.events ? { ...loaded, ...live } : loaded

const tones: Record<string, string> = { acknowledged: 'accent', assigned: 'accent', cleared: 'good', closed: 'good', unanswered: 'critical', unreached: 'critical', escalated: 'high', raised: 'high', corroborated: 'high' }

/** timeline is what happened to an alert, from the reading that began it. */
export function timeline(a: AlertDetail): Entry[] {
  const first: Entry[] = a.event_time < a.opened_at || a.received_at > a.opened_at
    ? [{ at: a.event_time, title: t('alert.event'), note: a.value === undefined ? undefined : valueText(a.value, a.unit) }] : []
  return [...first, ...a.history.map(e => entry(a, e))]
}

function entry(a: AlertDetail, e: AlertEvent): Entry {
  const notes = [
    e.kind === 'closed' && e.alert.disposition ? t(`disposition.${e.alert.disposition}`) : '',
    e.kind === 'snoozed' && e.alert.snoozed_until ? t('alert.snoozed', { time: clock(e.alert.snoozed_until, false) }) : '',
    e.kind === 'assigned' && e.alert.assignee ? t('alert.assigned', { who: e.alert.assignee }) : '',
    e.note ?? '',
    tellNote(e),
  ].filter(Boolean)
  return { at: e.at, title: word('event', e.kind), by: e.by, note: notes.join('\n'), tone: e.kind === 'opened' || e.kind === 'repeated' ? a.severity : tones[e.kind] }
}

function tellNote(e: AlertEvent): string {
  const names = (e.tell ?? []).filter(r => !r.held).map(r => r.name || (r.target === 'duty' ? t('alert.duty') : r.person || r.target))
  return names.length ? `${t('alert.told')} ${names.join(t('say.list'))}` : ''
}
