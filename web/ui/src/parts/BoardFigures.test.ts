import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, expect, test, vi } from 'vitest'
import { i18n } from '../texts'
import BoardFigures from './BoardFigures.vue'

afterEach(() => { vi.unstubAllGlobals() })

async function shown(overview: object) {
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(overview)))
  const board = mount(BoardFigures, { global: { plugins: [i18n], stubs: { RouterLink: { template: '<a><slot /></a>' } } } })
  await flushPromises()
  const values = board.findAll('.value').map(v => v.text())
  board.unmount()
  return values
}

test('what the database does not tell is not said to be none', async () => {
  const counted = { devices: { online: 9, total: 10 }, elders_quiet: 0, warnings: [] }
  expect(await shown(counted)).toEqual(['9/ 10', '–kWh', '–', '–', '0'])
  expect(await shown({ ...counted, energy_today_kwh: 0, bins_full: 0, chargers_busy: 2 })).toEqual(['9/ 10', '0kWh', '0', '2', '0'])
})
