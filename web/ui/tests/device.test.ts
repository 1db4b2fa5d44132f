// The page of a device: commands with their states as they happen, a new secret for the installer, readings as a file; and what
// happened to devices, on the pages of scenes.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Device, DeviceDetail } from '../src/types'
import { Browser } from './browser'
import { Linli, until } from './linli'

let linli: Linli
let meter: Device // simulated, so it answers
beforeAll(async () => {
  linli = await Linli.start()
  meter = (await linli.api<{ devices: Device[] }>('GET', 'devices?community=tianjin&type=water_meter&limit=1')).devices[0]!
  await linli.api('POST', 'devices', { id: 'gate-9', community: 'tianjin', type: 'lpr_camera' })
  await linli.api('POST', 'devices', { id: 'door-9', community: 'tianjin', type: 'access_controller' }) // never connects
})
afterAll(async () => { await linli.close() })

test('a valve is closed from the page, and the page shows what becomes of it', async () => {
  const b = await Browser.open(linli)
  try {
    await b.enter(linli, '/devices/' + meter.id)
    await b.page.getByTestId('command').click()
    await b.page.getByTestId('which').selectOption('valve_close')
    await b.page.getByTestId('send').click()
    expect(await b.page.locator('dialog[open]').innerText()).toContain('请再次确认')
    await b.page.getByTestId('sure').click()
    const row = b.page.getByTestId('commands').locator('tbody tr').first()
    await row.locator('[data-state=done]').waitFor()
    expect(await row.innerText()).toMatch(/关阀[\s\S]*已执行[\s\S]*admin/)
    await until(async () => (await linli.api<DeviceDetail>('GET', 'devices/' + meter.id)).values.find(v => v.field === 'valve_open')?.value === false)
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('a command for a device that never answers is seen to expire', async () => {
  const b = await Browser.open(linli, { language: 'en' })
  try {
    await b.enter(linli, '/devices/door-9')
    await b.page.getByText('Nothing has been asked of this device yet.').waitFor()
    await linli.api('POST', 'devices/door-9/commands', { command: 'unlock', params: { seconds: 5, reason: 'test' }, ttl_s: 5 })
    const commands = b.page.getByTestId('commands')
    await commands.locator('[data-state=sent]').waitFor()
    await commands.locator('[data-state=expired]').waitFor()
    expect(await commands.innerText()).toMatch(/Unlock[\s\S]*Open for 5 s[\s\S]*Expired/)
    await b.page.getByTestId('command').click()
    await b.page.getByTestId('which').selectOption('unlock')
    await b.page.locator('[data-param=seconds]').fill('61')
    await b.page.locator('[data-param=reason]').fill('x')
    await b.page.getByTestId('send').click()
    expect(await b.page.locator('[data-param=seconds]').evaluate((e: HTMLInputElement) => e.validity.rangeOverflow)).toBe(true)
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('the installer gets a new secret with its QR code, and the readings are a file', async () => {
  const b = await Browser.open(linli)
  try {
    await b.enter(linli, '/devices/door-9')
    await b.page.getByTestId('rotate').click()
    await b.page.getByTestId('sure').click()
    await b.page.getByRole('img', { name: '密钥二维码' }).waitFor()
    expect((await b.page.getByTestId('secret').innerText()).length).toBeGreaterThan(15)
    await b.go('/devices/' + meter.id)
    const csv = b.page.getByRole('button', { name: '导出 CSV' })
    await csv.waitFor()
    const [file] = await Promise.all([b.page.waitForEvent('download'), csv.click()])
    expect(readFileSync(await file.path(), 'utf8')).toMatch(/^\ufefftime,/)
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('the scenes list what happened, and of a plate its keyed hash alone', async () => {
  const at = (minutes: number) => `${Date.now() - minutes * 60_000}000000`
  linli.importReadings([
    ...Array.from({ length: 130 }, (_, n) => `event,community=tianjin,device=tianjin-station-01,type=waste_station,event=delivery waste_kind="${n % 3 ? 'kitchen' : 'residual'}",net_weight_kg=1.5,received_at=1i,time_source="device" ${at(n + 1)}`),
    `event,community=tianjin,device=gate-9,type=lpr_camera,event=plate_read plate_hash="k1:93af",plate_masked="粤C***88",owner_class="visitor",received_at=1i,time_source="device" ${at(5)}`,
  ])
  const b = await Browser.open(linli)
  try {
    await b.enter(linli, '/scenes/waste')
    const list = b.page.getByTestId('list-deliveries')
    await list.getByText('厨余垃圾').first().waitFor()
    expect(await list.innerText()).toMatch(/最近 \d+ 条[\s\S]*厨余垃圾 \d+ · 其他垃圾 \d+/)
    const rows = list.locator('tbody tr')
    expect(await rows.count()).toBe(8)
    for (let n = 0; n < 3; n++) await list.locator('button.more').click()
    await until(async () => await rows.count() >= 130)
    await b.go('/scenes/access')
    await b.page.getByTestId('list-vehicles').getByText('k1:93af').waitFor()
    expect(await b.page.content()).not.toContain('粤C')
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('one sample in a year is seen in the chart, what came late is marked, and what is missing stays missing', async () => {
  await linli.api('POST', 'devices', { id: 'spike-1', community: 'tianjin', type: 'indoor_environment' })
  const minute = 60_000
  const begin = Math.floor(Date.now() / minute) * minute - 365 * 1440 * minute
  const spike = 200_000
  const lines = Array.from({ length: 365 * 1440 - 5 }, (_, i) => {
    const at = begin + i * minute
    const day = Math.floor(i / 1440)
    if (day === 100 || day === 101) return '' // two days without any
    const received = day === 250 || day === 362 ? at + 86400_000 : at + 900 // two days that came a day later
    return `indoor,community=tianjin,device=spike-1 co2_ppm=${i === spike ? 4321 : 600 + i % 50},received_at=${received}i ${at}000000`
  }).filter(Boolean)
  linli.importReadings(lines)
  const b = await Browser.open(linli, { language: 'en' })
  try {
    await b.enter(linli, '/devices/spike-1')
    const chart = b.page.locator('.stack', { has: b.page.getByTestId('chart') }).filter({ hasText: 'Carbon dioxide' }).first()
    await b.page.getByTestId('completeness').getByText('Received 1,440').first().waitFor()
    const counted = await b.page.getByTestId('completeness').innerText()
    expect([...counted.matchAll(/Late ([\d,]+)/g)].reduce((sum, [, n]) => sum + Number(n!.replace(',', '')), 0)).toBe(1440)
    const answer = b.page.waitForResponse(r => r.url().includes('/chart?') && Number(new URL(r.url()).searchParams.get('to')) - Number(new URL(r.url()).searchParams.get('from')) > 360 * 86400_000)
    await chart.getByRole('button', { name: '1 year' }).click()
    const response = await answer
    const body = await response.body()
    const took = response.request().timing()
    console.log(`a year of one-minute data: ${body.length} bytes, ${Math.round(took.responseEnd - took.requestStart)} ms`)
    expect(body.length).toBeLessThan(100_000)
    await chart.getByRole('img', { name: /highest 4,?321/ }).waitFor()
    expect(await chart.getByTestId('late').innerText()).toMatch(/Came late at [2-6] points/)
    // The band is drawn up to the highest of its sample: a pixel of the line's colour near the top, where nothing else is.
    const high = await chart.locator('canvas').evaluate((c: HTMLCanvasElement) => {
      const { width, height } = c
      const data = c.getContext('2d')!.getImageData(0, 0, width, height).data
      let found = 0
      for (let y = Math.floor(height * 0.12); y < height * 0.4; y++) {
        for (let x = Math.floor(width * 0.2); x < width * 0.8; x++) {
          const [r, g, blue, a] = data.slice((y * width + x) * 4, (y * width + x) * 4 + 4) as unknown as [number, number, number, number]
          if (a > 0 && g - r > 15 && blue - r > 10) found++ // the teal of the first line, or its band
        }
      }
      return found
    })
    expect(high).toBeGreaterThan(5)
    const gaps = JSON.parse(body.toString()).series[0].value.filter((v: unknown) => v === null).length
    expect(gaps).toBe(1)
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('what was rejected is found with its reason and its bytes, and a replay in vain is said', async () => {
  const { secret } = await linli.api<{ secret: string }>('POST', 'devices', { id: 'room-9', type: 'indoor_environment', name: '棋牌室', community: 'tianjin' })
  const topic = 'linli/telemetry/tianjin/indoor_environment/room-9'
  linli.publish('room-9', secret, topic, 'co2=640')
  const b = await Browser.open(linli)
  try {
    await b.enter(linli, '/rejects')
    const row = b.page.getByRole('listitem').filter({ hasText: topic })
    await row.getByText('格式错误').waitFor()
    await row.getByRole('button', { name: '原始内容' }).click()
    expect(await row.locator('pre').innerText()).toBe('co2=640')
    await row.getByRole('button', { name: '重放' }).click()
    await row.getByRole('status').filter({ hasText: '重放后仍被拒收' }).waitFor()
    expect(await row.count()).toBe(1)
    await row.getByRole('link', { name: '棋牌室' }).click()
    await b.page.getByRole('heading', { name: '棋牌室' }).waitFor()
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})
