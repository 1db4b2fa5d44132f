// How fast the duty board is with 10,000 devices and 500 open alerts, how soon it shows one more, and whether its memory stays. Not a
// test of make test: `npm run speed` prints the figures and holds them against their targets. LINLI_MINUTES is how long the board is
// watched.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser } from './browser'
import { Linli, until } from './linli'

const devices = 10_000
const presses = 500
const more = Array.from({ length: 200 }, (_, i) => `speed-more-${String(i).padStart(3, '0')}`)
const minutes = Number(process.env.LINLI_MINUTES ?? 1)
const community = 'tianjin'

let linli: Linli
let pressBand: (id: string) => void
beforeAll(async () => {
  linli = await Linli.start()
  const meters = Array.from({ length: devices - presses - more.length - 1 }, (_, i) => `speed-m-${i},${community},water_meter,`)
  const buttons = Array.from({ length: presses }, (_, i) => `speed-b-${i}`)
  const report = await linli.send<{ issued: { id: string, secret: string }[] }>('devices/import', 'text/csv', ['id,community,type,gateway', `speed-gw,${community},edge_gateway,`, ...meters,
    ...buttons.map(id => `${id},${community},sos_button,speed-gw`), ...more.map(id => `${id},${community},wearable_band,`)].join('\n') + '\n')
  const secrets = new Map(report.issued.map(d => [d.id, d.secret]))
  pressBand = id => linli.publish(id, secrets.get(id)!, `linli/event/${community}/wearable_band/${id}/sos`, '')
  for (const id of buttons) {
    await until(async () => { // a gateway is cut off once it is told of its children
      try {
        linli.publish('speed-gw', secrets.get('speed-gw')!, `linli/event/${community}/sos_button/${id}/sos`, '')
        return true
      } catch {
        return false
      }
    })
  }
  await until(async () => (await open()).length >= presses, 60_000)
}, 300_000)
afterAll(async () => { await linli.close() })

const open = async () => (await linli.api<{ alerts: { id: string, state: string }[] }>('GET', 'alerts?state=opened')).alerts

test('the duty board of 10,000 devices and 500 open alerts', async () => {
  const b = await Browser.open(linli)
  try {
    await b.enter(linli)
    const rows = b.page.getByTestId('alerts').locator('[data-testid=alert]')
    const painted: number[] = []
    const drawn: number[] = []
    for (let i = 0; i < 5; i++) {
      await b.page.reload({ waitUntil: 'commit' })
      await rows.nth(50).waitFor()
      drawn.push(await b.page.evaluate(() => performance.now()))
      painted.push(await b.page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]!.startTime))
    }
    console.log(`first paint ${middle(painted)} ms, alerts drawn after ${middle(drawn)} ms (middle of 5, worst ${Math.round(Math.max(...drawn))} ms; target 1500)`)
    expect(await b.page.getByTestId('counts').innerText()).toMatch(/50\d|5[1-9]\d/)

    const heap = await watchHeap(b)
    const [early, late] = [heap.slice(0, Math.ceil(heap.length / 3)), heap.slice(-Math.ceil(heap.length / 3))]
    console.log(`heap over ${minutes} min: ${heap.map(mb).join(' ')} MB; first third ${mb(middle(early))}, last third ${mb(middle(late))}`)
    expect(b.errors).toEqual([])
    expect(Math.max(...drawn)).toBeLessThan(1500)
    expect(middle(late)).toBeLessThan(middle(early) * 1.1 + 1e6)
  } finally {
    await b.close()
  }
}, 900_000)

test('a press is on the screen within a second, beside 500 others', async () => {
  const b = await Browser.open(linli)
  try {
    await b.enter(linli)
    await b.page.locator('.link.live').waitFor()
    const took: number[] = []
    for (const id of more) {
      const seen = b.page.waitForFunction(id => [...document.querySelectorAll('[data-testid=alert]')].some(row => row.textContent!.includes(id)), id)
      const began = Date.now()
      pressBand(id)
      await seen
      took.push(Date.now() - began)
    }
    took.sort((x, y) => x - y)
    const p99 = took[Math.ceil(took.length * 0.99) - 1]!
    console.log(`from the press to the screen, ${took.length} presses: middle ${middle(took)} ms, p99 ${p99} ms, worst ${took.at(-1)} ms (target p99 1000)`)
    expect(p99).toBeLessThan(1000)
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
}, 300_000)

/** watchHeap samples what lives while alerts are commented, acknowledged and come again. */
async function watchHeap(b: Browser): Promise<number[]> {
  const cdp = await b.context.newCDPSession(b.page)
  const ids = (await open()).map(a => a.id)
  const used: number[] = []
  const end = Date.now() + minutes * 60_000
  for (let i = 0; Date.now() < end; i++) {
    const next = Date.now() + 5000
    for (let k = 0; k < 10; k++) await linli.api('POST', `alerts/${ids[(i * 10 + k) % ids.length]}/comment`, { note: `speed ${i}` })
    await b.page.keyboard.press('j')
    await new Promise(resolve => setTimeout(resolve, Math.max(0, next - Date.now())))
    if (i % Math.max(1, Math.round(minutes)) === 0) {
      await cdp.send('HeapProfiler.collectGarbage')
      used.push((await cdp.send('Runtime.getHeapUsage')).usedSize)
    }
  }
  return used
}

const middle = (all: number[]) => Math.round([...all].sort((x, y) => x - y)[all.length >> 1]!)
const mb = (bytes: number) => (bytes / 1e6).toFixed(1)
