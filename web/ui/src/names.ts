// The names of what is told by an id alone.

import { shallowReactive } from 'vue'
import { load } from './api'
import type { Device, Person } from './types'

const names = shallowReactive(new Map<string, string>())

/** forgetNames is for who comes next, who may not know them. */
export const forgetNames = () => names.clear()

/** named is the name of a device or a person, asked for once. Until it is known, and where it may not be read, the id stands for it. */
export function named(path: 'devices/' | 'people/', id: string): string {
  const key = path + encodeURIComponent(id)
  if (!names.has(key)) {
    names.set(key, id)
    load<Device | Person>(key).then(d => names.set(key, d.name || id), () => undefined)
  }
  return names.get(key)!
}
