// All devices of the communities in reach, loaded once in pages: a filter over 20,000 of them is then instant.

import { computed, shallowRef } from 'vue'
import { load } from './api'
import { typeName } from './catalogue'
import { where } from './format'
import { alerts, compare, state } from './state'
import type { Device, Severity } from './types'

interface Entry { device: Device, text: string }
const entries = shallowRef<Entry[]>([])
const fresh = 60_000 // ms
let at = 0
let asking = {} // whose question is answered: another after each forgetting

/** loadDevices loads the devices unless that was done within a minute. */
export async function loadDevices(signal?: AbortSignal): Promise<boolean> {
  if (Date.now() - at < fresh) return true
  const mine = asking
  const all: Entry[] = []
  let cursor = ''
  do {
    const page: { devices: Device[], next?: string } = await load('devices', { limit: 5000, cursor }, signal)
    if (asking !== mine) return true
    for (const device of page.devices) all.push({ device, text: text(device) })
    cursor = page.next ?? ''
    if (!entries.value.length || !cursor) entries.value = cursor ? [...all] : all
  } while (cursor)
  at = Date.now()
  return true
}

/** staleDevices makes the next load ask again, after a device was changed. */
export function staleDevices() { at = 0 }

/** forgetDevices is for who comes next, who may not see them, nor what is still being answered. */
export function forgetDevices() {
  asking = {}
  entries.value = []
  at = 0
}

const text = (d: Device) => [d.id, d.name, typeName(d.type), d.type, where(d.place, d.community), d.place?.zone, ...Object.values(d.tags ?? {})].join(' ').toLowerCase()

/** devicesHere are those of the community that is shown. */
export const devicesHere = computed(() => entries.value.filter(e => !state.community || e.device.community === state.community))

/** find filters by words that must all occur, and by type and state. */
export function find(all: Entry[], search: string, type = '', deviceState = ''): Device[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const out: Device[] = []
  for (const { device, text } of all) {
    if ((!type || device.type === type) && (!deviceState || device.state === deviceState) && words.every(w => text.includes(w))) out.push(device)
  }
  return out
}

/** openOf counts the open alerts of every device. */
export const openOf = computed(() => {
  const counts: Record<string, number> = {}
  for (const a of alerts.values()) if (a.state !== 'closed') counts[a.device] = (counts[a.device] ?? 0) + 1
  return counts
})

/** worstOf is the most severe open alert of every device that has one. */
export const worstOf = computed(() => {
  const worst: Record<string, Severity> = {}
  for (const a of [...alerts.values()].sort(compare)) if (a.state !== 'closed') worst[a.device] ??= a.severity
  return worst
})
