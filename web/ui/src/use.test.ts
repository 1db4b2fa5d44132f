import { afterEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { useLoad, usePages } from './use'

afterEach(() => { vi.useRealTimers() })

test('a page that was left asks nothing more, even if what it did there ends later', async () => {
  vi.useFakeTimers()
  let asked = 0
  const scope = effectScope()
  const { reload } = scope.run(() => useLoad(async () => { asked++ }, undefined, 1000))!
  await vi.advanceTimersByTimeAsync(2500)
  expect(asked).toBe(3)
  scope.stop()
  await reload() // of a press whose answer came after the page was left
  await vi.advanceTimersByTimeAsync(10_000)
  expect(asked).toBe(3)
})

test('how often it asks may depend on the answer', async () => {
  vi.useFakeTimers()
  let asked = 0
  const scope = effectScope()
  scope.run(() => useLoad(async () => { asked++ }, undefined, () => asked < 3 ? 1000 : 0))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(asked).toBe(3)
  scope.stop()
})

test('a list is read page by page, and an older page of a list that was loaded anew is dropped', async () => {
  const answers: ((page: { rows: string[], next?: string }) => void)[] = []
  const asked: string[] = []
  const of = ref('a')
  const scope = effectScope()
  const { rows, next, more, reload } = scope.run(() => usePages<string>((before) => {
    asked.push(before)
    return new Promise((resolve) => { answers.push(resolve) })
  }, of))!
  const answer = async (page: { rows: string[], next?: string }, n = 0) => {
    answers.splice(n, 1)[0]!(page)
    await new Promise(setImmediate)
  }
  expect(rows.value).toBeUndefined()
  await answer({ rows: ['a1'], next: '1' })
  void more.run()
  await answer({ rows: ['a2'], next: '2' })
  expect([rows.value, next.value]).toEqual([['a1', 'a2'], '2'])
  for (const anew of [reload, () => { of.value = 'b' }]) {
    void more.run()
    void anew()
    await nextTick()
    await answer({ rows: ['b1'], next: '1' }, 1)
    await answer({ rows: ['late'] })
    expect([rows.value, next.value]).toEqual([['b1'], '1'])
  }
  void more.run()
  await answer({ rows: ['b2'] })
  expect([rows.value, next.value, asked]).toEqual([['b1', 'b2'], '', ['', '1', '2', '', '1', '', '1']])
  scope.stop()
})
