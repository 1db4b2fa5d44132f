// How fast the duty board is: with 10,000 devices and 500 open alerts, and with a demo where nothing happens. Not a test of make test:
// `npm run speed` prints the figures and holds them against their targets. LINLI_MINUTES is how long the board is watched.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser } from './browser'
import { Linli, until } from './linli'

const devices = 10_000
const alerts = 500
const presses = 200
const minutes = Number(process.env.LINLI_MINUTES ?? 1)
const community = 'tianjin'
let linli: Linli

type Press = (i: number) => Promise<string>

const open = async () => (await linli.api<{ alerts: { id: string, device: string, state: string }[] }>('GET', 'alerts?state=opened')).alerts

/** buttons registers buttons behind a gateway, beside other devices, and returns how to press one. */
async function buttons(gateway: string, count: number, others: string[] = []): Promise<Press> {
  const rows = [`${gateway},${community},edge_gateway,`, ...others, ...Array.from({ length: count }, (_, i) => `${gateway}-${i},${community},sos_button,${gateway}`)]
  const report = await linli.send<{ issued: { id: string, secret: string }[] }>('devices/import', 'text/csv', ['id,community,type,gateway', ...rows].join('\n') + '\n')
  const secret = report.issued.find(d => d.id === gateway)!.secret
  return i => until(async () => { // as a device does: a gateway is cut off once when it is told of its children
    try {
      linli.publish(gateway, secret, `linli/event/${community}/sos_button/${gateway}-${i}/sos`, '')
      return `${gateway}-${i}`
    } catch {
      return undefined
    }
  })
}

/** timePresses presses buttons one after the other, and prints how long it takes from the start of mosquitto_pub until the alert is drawn in the window. */
async function timePresses(b: Browser, press: Press, where: string) {
  const drawn = new Map<string, number>()
  await b.page.exposeFunction('drawn', (device: string, at: number) => { drawn.has(device) || drawn.set(device, at) })
  await b.page.evaluate(() => {
    const tell = (window as unknown as { drawn: (device: string, at: number) => void }).drawn
    new MutationObserver((changes) => {
      const rows = changes.flatMap(c => [...c.addedNodes]).filter(n => n instanceof HTMLElement)
        .flatMap(n => [n, ...n.querySelectorAll<HTMLElement>('[data-device]')]).filter(n => n.dataset.device)
      const seen = (n: HTMLElement) => n.checkVisibility() && n.getBoundingClientRect().top < innerHeight
      requestAnimationFrame(() => rows.filter(seen).forEach(n => tell(n.dataset.device!, Date.now())))
    }).observe(document.body, { subtree: true, childList: true })
  })
  const took: number[] = []
  for (let i = 0; i < presses; i++) {
    const started = Date.now()
    const device = await press(i)
    took.push(await until(async () => drawn.get(device)) - started)
    const alert = (await open()).find(a => a.device === device)!
    await linli.api('POST', `alerts/${alert.id}/close`, { disposition: 'test' })
  }
  took.sort((x, y) => x - y)
  const at = (share: number) => took[Math.ceil(took.length * share) - 1]!
  console.log(`SOS → drawn in the window, ${where}: p50 ${at(.5)} ms, p99 ${at(.99)} ms, max ${at(1)} ms of ${took.length} (target p99 1000)`)
  expect(at(.99)).toBeLessThan(1000)
}

describe('10,000 devices and 500 open alerts', () => {
  let press: Press
  beforeAll(async () => {
    linli = await Linli.start()
    const meters = Array.from({ length: devices - alerts - presses - 2 }, (_, i) => `speed-m-${i},${community},water_meter,`)
    const first = await buttons('speed-a', alerts, meters)
    for (let i = 0; i < alerts; i++) await first(i)
    await until(async () => (await open()).length >= alerts, 60_000)
    press = await buttons('speed-b', presses)
  }, 300_000)
  afterAll(async () => { await linli.close() })

  test('first paint', async () => {
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
      expect(b.errors).toEqual([])
      expect(Math.max(...drawn)).toBeLessThan(1500)
    } finally {
      await b.close()
    }
  })

  test('an SOS on the board', async () => {
    const b = await Browser.open(linli)
    try {
      await b.enter(linli)
      await b.page.getByTestId('alerts').locator('[data-testid=alert]').nth(50).waitFor()
      await timePresses(b, press, '10,000 devices and 500 open alerts')
      expect(b.errors).toEqual([])
    } finally {
      await b.close()
    }
  }, 600_000)

  test('heap', async () => {
    const b = await Browser.open(linli)
    try {
      await b.enter(linli)
      const heap = await watchHeap(b)
      const third = Math.ceil(heap.length / 3)
      const [early, late] = [heap.slice(0, third), heap.slice(-third)]
      console.log(`heap over ${minutes} min: ${heap.map(mb).join(' ')} MB; first third ${mb(middle(early))}, last third ${mb(middle(late))}`)
      expect(b.errors).toEqual([])
      expect(middle(late)).toBeLessThan(middle(early) * 1.1 + 1e6)
    } finally {
      await b.close()
    }
  }, 60_000 * (minutes + 4))
})

describe('an idle demo', () => {
  beforeAll(async () => { linli = await Linli.start('0.05') }, 120_000)
  afterAll(async () => { await linli.close() })

  test('an SOS on the board', async () => {
    const press = await buttons('speed-c', presses)
    const b = await Browser.open(linli)
    try {
      await b.enter(linli)
      await b.page.locator('.link.live').waitFor()
      await timePresses(b, press, 'idle demo')
      expect(b.errors).toEqual([])
    } finally {
      await b.close()
    }
  }, 600_000)
})

/** watchHeap samples what lives, twelve times or every minute, while alerts are commented and looked at. */
async function watchHeap(b: Browser): Promise<number[]> {
  const cdp = await b.context.newCDPSession(b.page)
  const ids = (await open()).map(a => a.id)
  const comment = (id: string, note: string) => linli.api('POST', `alerts/${id}/comment`, { note })
  for (const id of ids) await comment(id, 'first') // an alert that the stream told takes more room than one of the snapshot
  const used: number[] = []
  const end = Date.now() + minutes * 60_000
  for (let i = 0; Date.now() < end; i++) {
    const next = Date.now() + 5000
    for (let k = 0; k < 10; k++) await comment(ids[(i * 10 + k) % ids.length]!, `speed ${i}`)
    await b.page.keyboard.press('j')
    await new Promise(resolve => setTimeout(resolve, Math.max(0, next - Date.now())))
    if (i % Math.max(1, Math.round(minutes * 1.2)) === 0) {
      await cdp.send('HeapProfiler.collectGarbage')
      used.push((await cdp.send('Runtime.getHeapUsage')).usedSize)
    }
  }
  return used
}

const middle = (all: number[]) => Math.round([...all].sort((x, y) => x - y)[all.length >> 1]!)
const mb = (bytes: number) => (bytes / 1e6).toFixed(1)
