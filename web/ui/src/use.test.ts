import { afterEach, expect, test, vi } from 'vitest'
import { effectScope } from 'vue'
import { useLoad } from './use'

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
