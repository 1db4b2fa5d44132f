// What a scene page is made of. One description a scene; SceneView draws all of them.

import type { Text } from '../types'

export interface SceneFigure {
  name: Text
  type: string
  field: string
  fn: 'sum' | 'mean' | 'max' | 'min' | 'count' // of the last values; count: of those that are
  is?: (v: number | string | boolean) => boolean // counted only if so
  part?: boolean // of how many
  digits?: number
  tone?: 'critical' | 'high' | 'medium' // if the figure is above zero (count) or the limit
  limit?: number
}

export interface SceneColumn {
  field: string
  bar?: number // drawn as a part of this
  high?: number // from here on it is to be looked at
  low?: number // below this too
  bad?: (v: number | string | boolean) => boolean
}

export interface SceneGroup {
  type: string
  columns: SceneColumn[] // the first numeric one is drawn over time
}

/** SceneList is what happened of some kinds, from stored events. */
export interface SceneList {
  id: string
  name: Text
  kinds: string[] // type.event
  fields: { field: string, name: Text }[] // of the events, where they have them
  by?: string // field by whose values what is listed is counted
}

export interface Scene {
  id: string
  categories: string[] // of alerts that belong here
  figures: SceneFigure[]
  groups: SceneGroup[]
  lists?: SceneList[]
  elders?: boolean // one line for each elder, before the devices
}
