// An answer to an alert is pressed once and sent until the server has it, over a reload too; the key keeps it one answer.

import { ref } from 'vue'
import { newKey } from '../key'
import { ask, Refused } from './server'

export interface Answer { alert: string, answer: 'going' | 'cannot', key: string }
type How = '' | 'sending' | 'waiting' | 'went' | 'stayed' | 'changed'

const kept = 'linli.answer'
const pauses = [1000, 2000, 4000, 8000] // ms between two tries

export function answering(path: string, done: () => Promise<void>) {
  const how = ref<How>('')
  const about = ref('') // the alert that it is about
  let pending: Answer | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let tries = 0

  async function send() {
    clearTimeout(timer)
    const sent = pending
    if (!sent) return
    try {
      await ask('POST', path + '/answer', { alert: sent.alert, answer: sent.answer }, sent.key)
      if (sent === pending) finish(sent.answer === 'going' ? 'went' : 'stayed')
    } catch (err) {
      if (sent !== pending) return
      if (err instanceof Refused) finish('changed')
      else {
        how.value = 'waiting'
        timer = setTimeout(send, pauses[Math.min(tries++, pauses.length - 1)])
        return
      }
    }
    await done()
  }
  function finish(now: How) {
    pending = undefined
    sessionStorage.removeItem(kept)
    how.value = now
  }
  function begin(answer: Answer) {
    pending = answer
    tries = 0
    about.value = answer.alert
    how.value = 'sending'
    sessionStorage.setItem(kept, JSON.stringify({ path, ...answer }))
    return send()
  }
  const left = JSON.parse(sessionStorage.getItem(kept) ?? 'null') as (Answer & { path: string }) | null
  if (left?.path === path) void begin(left)

  return {
    how, about,
    press: (alert: string, answer: 'going' | 'cannot') => begin({ alert, answer, key: newKey() }),
    again: () => { if (how.value === 'waiting') void send() },
    stop: () => clearTimeout(timer),
  }
}
