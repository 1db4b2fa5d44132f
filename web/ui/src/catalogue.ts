// The device types, loaded once: names of types, fields, events and the words of enums.

import { shallowReactive } from 'vue'
import { load, Problem } from './api'
import { pick } from './format'
import type { Text } from './types'

export interface Field { id: string, name?: Text, unit?: string, type: string, kind: string, range?: [number, number], period?: string, enum?: string }
export interface EventType { id: string, name: Text, fields?: { id: string, name?: Text, unit?: string, enum?: string }[] }
export interface DeviceType {
  id: string
  name: Text
  tags?: { id: string, name?: Text, registry?: boolean, values?: string[] }[]
  fields: Field[]
  events: EventType[]
  commands?: { id: string, name: Text, params?: { id: string, type: string, unit?: string }[] }[]
  enums?: Record<string, Record<string, Text>>
  attributes?: { id: string, name: Text, unit?: string }[]
}

export const types = shallowReactive(new Map<string, DeviceType>())

let asked: Promise<void> | undefined

/** loadTypes loads the types unless they are there. A server that does not tell them leaves the ids to be shown. */
export function loadTypes(): Promise<void> {
  asked ??= load<{ types: DeviceType[] }>('types').then(({ types: all }) => {
    for (const type of all) types.set(type.id, type)
  }).catch((err) => {
    asked = undefined
    if (!(err instanceof Problem && err.status === 404)) throw err
  })
  return asked
}

export const typeName = (id: string) => pick(types.get(id)?.name) || id
export const field = (type: string, id: string) => types.get(type)?.fields.find(f => f.id === id)
export const eventName = (type: string, id: string) => pick(types.get(type)?.events.find(e => e.id === id)?.name) || id

/** words are the values of an enum field by their id. */
export function words(type: string, id: string): Record<string, Text> | undefined {
  const of = types.get(type)
  return of?.enums?.[field(type, id)?.enum ?? id]
}

/** pickWord is one value of an enum field in words, or the value itself. */
export const pickWord = (type: string, id: string, value: string) => pick(words(type, id)?.[value]) || value
