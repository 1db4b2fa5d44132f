import { beforeEach, expect, test } from 'vitest'
import { safetySilences, takeSilence, toConfirm } from './holds'
import { state } from './state'
import type { Hold, User } from './types'

const now = Date.parse('2026-11-25T09:00:00Z')
const at = (minutes: number) => new Date(now + minutes * 60e3).toISOString()
const hold = (more: Partial<Hold> = {}): Hold => ({ id: 'h1', match: { community: 'tianjin', device: 'wb-1' }, reason: 'battery', from: at(0), until: at(60), by: 'li', by_person: 'p-li', safety: true, confirm_by: at(15), ...more })
const login = (more: Partial<User>) => { state.user = { name: 'zhao', role: 'duty', communities: null, elders: null, via: 'session', ...more } }

beforeEach(() => {
  state.now = now
  state.community = ''
  login({})
  takeSilence(hold())
})

test('a silence of life-safety waits for everybody but who asked, until it is confirmed, ended or lapsed', () => {
  const waits = () => toConfirm.value.map(h => h.id)
  expect(waits()).toEqual(['h1'])
  for (const other of [{ name: 'li' }, { name: 'li2', person: 'p-li' }, { role: 'caretaker' }, { via: 'admin_token' }] as Partial<User>[]) {
    login(other)
    expect(waits(), JSON.stringify(other)).toEqual([])
  }
  login({})
  state.now = now + 15 * 60e3
  expect([waits(), safetySilences.value]).toEqual([[], []])
  state.now = now
  takeSilence(hold({ confirmed_by: 'wang' }))
  expect([waits(), safetySilences.value.length]).toEqual([[], 1])
  takeSilence(hold({ ended_at: at(1) }))
  expect([waits(), safetySilences.value]).toEqual([[], []])
})

test('those of another community and ordinary ones do not count', () => {
  state.community = 'hegang'
  expect(toConfirm.value).toEqual([])
  state.community = 'tianjin'
  takeSilence(hold({ id: 'h2', safety: false }))
  expect(toConfirm.value.map(h => h.id)).toEqual(['h1'])
})
