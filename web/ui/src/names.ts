// The names of what is told by an id alone.

import { shallowReactive } from 'vue'
import { load } from './api'
import type { Device, Person } from './types'

const names = shallowReactive(new Map<string, string>())

let asking = {} // whose questions are answered: another after each forgetting

/** forgetNames is for who comes next, who may not know them, nor what is still being answered. */
export function forgetNames() {
  asking = {}
  names.clear()
}

/** named is the name of a device or a person, asked for once. Until it is known, and where it may not be read, the id stands for it. */
export function named(path: 'devices/' | 'people/', id: string): string {
  const key = path + encodeURIComponent(id)
  if (!names.has(key)) {
    names.set(key, id)
    const mine = asking
    load<Device | Person>(key).then((d) => { if (asking === mine) names.set(key, d.name || id) }, () => undefined)
  }
  return names.get(key)!
}
