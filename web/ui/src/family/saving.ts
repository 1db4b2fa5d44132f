// One change of somebody's record, and what became of it.

import { ref } from 'vue'
import { more } from './more'
import { newKey } from '../key'
import { ask, Refused } from './server'

export function saving(path: string, done: () => void) {
  const busy = ref(false)
  const said = ref<{ text: () => string, good: boolean }>()
  async function save(method: string, what: string, body?: unknown): Promise<boolean> {
    busy.value = true
    said.value = undefined
    try {
      await ask(method, path + what, body, newKey())
      said.value = { text: () => more.value.saved, good: true }
      done()
    } catch (err) {
      const conflict = err instanceof Refused && err.status === 409
      said.value = { text: () => conflict ? more.value.conflict : more.value.failed, good: false }
      if (conflict) done()
    } finally {
      busy.value = false
    }
    return said.value?.good ?? false
  }
  return { busy, said, save }
}
