// The duty board: what the person on duty sees and does, on the built binary, with devices that speak MQTT.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser } from './browser'
import { Linli, until } from './linli'

let linli: Linli
beforeAll(async () => { linli = await Linli.start() })
afterAll(async () => { await linli.close() })

test('an SOS that mosquitto_pub sends is on the screen within a second', async () => {
  const presses = []
  for (let i = 0; i < 5; i++) presses.push([`duty-quick-${i}`, await linli.band(`duty-quick-${i}`)] as const)
  const b = await Browser.open(linli)
  try {
    await b.enter(linli)
    await b.page.locator('.link.live').waitFor()
    await b.page.evaluate(() => { (window as unknown as { notReloaded: boolean }).notReloaded = true })
    const took: number[] = []
    for (const [id, press] of presses) {
      const began = Date.now()
      press()
      await b.page.locator('[data-testid=alert]', { hasText: id }).waitFor()
      took.push(Date.now() - began)
      const { alerts } = await linli.api<{ alerts: { id: string, device: string }[] }>('GET', 'alerts')
      await linli.api('POST', `alerts/${alerts.find(a => a.device === id)!.id}/close`, { disposition: 'test' })
    }
    console.log('from the press to the screen, ms:', took.join(' '))
    expect(took.sort((x, y) => x - y)[2]).toBeLessThan(1000)
    expect(await b.page.evaluate(() => (window as unknown as { notReloaded: boolean }).notReloaded)).toBe(true)
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('an SOS appears without a reload, is acknowledged by keyboard, and a second browser sees that', async () => {
  const press = await linli.band('duty-1')
  const [a, b] = [await Browser.open(linli), await Browser.open(linli)]
  try {
    await a.enter(linli)
    await b.enter(linli)
    const row = (of: Browser) => of.page.locator('[data-testid=alert]', { hasText: '手环求救' })
    await a.page.locator('.link.live').waitFor()
    press()
    await row(a).waitFor()
    await row(b).waitFor()
    expect(await a.page.title()).toContain('(1)')
    await a.page.keyboard.press('a')
    await b.page.getByText('admin 已确认').first().waitFor()
    await a.page.keyboard.press('Enter')
    await a.page.getByTestId('timeline').getByText('已确认').waitFor()
    expect(a.errors).toEqual([])
    expect(a.foreign).toEqual([])
  } finally {
    await a.close()
    await b.close()
  }
})

test('over plain http from another machine the desk acknowledges and silences as well', async () => {
  const press = await linli.band('duty-plain')
  const plain = Object.assign(Object.create(linli) as Linli, { url: linli.url.replace('127.0.0.1', 'linli.test') })
  const b = await Browser.open(plain)
  try {
    await b.enter(plain)
    expect(await b.page.evaluate(() => isSecureContext)).toBe(false)
    press()
    const row = b.page.locator('[data-testid=alert]', { hasText: 'duty-plain' })
    await row.getByRole('button', { name: '确认' }).click()
    await row.getByText('admin 已确认').waitFor()
    await b.go('/silences')
    await b.page.getByRole('button', { name: '新增' }).click()
    const form = b.page.locator('dialog form')
    await form.getByLabel('社区').selectOption('tianjin')
    await form.getByLabel('设备', { exact: true }).fill('duty-plain')
    await form.getByLabel('原因').fill('换腕带')
    await form.getByRole('button', { name: '保存' }).click()
    await b.page.locator('tr', { hasText: '换腕带' }).waitFor()
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('a connection that was lost comes back without a gap and without a double', async () => {
  const press = await linli.band('duty-2')
  const b = await Browser.open(linli)
  try {
    await b.enter(linli)
    await b.page.locator('.link.live').waitFor()
    await b.context.setOffline(true)
    await linli.stop()
    await b.page.locator('.link.lost').waitFor()
    await linli.restart()
    press()
    await until(async () => (await linli.api<{ alerts: { device: string }[] }>('GET', 'alerts')).alerts.some(a => a.device === 'duty-2'))
    await b.context.setOffline(false)
    await b.page.locator('.link.live').waitFor()
    const rows = b.page.getByTestId('alerts').locator('[data-testid=alert]')
    await rows.filter({ hasText: 'duty-2' }).waitFor()
    const ids = await rows.evaluateAll(all => all.map(e => (e as HTMLElement).dataset.id))
    expect(new Set(ids).size).toBe(ids.length)
    const { alerts } = await linli.api<{ alerts: { id: string, state: string }[] }>('GET', 'alerts')
    expect([...ids].sort()).toEqual(alerts.filter(a => a.state !== 'closed').map(a => a.id).sort())
  } finally {
    await b.close()
  }
})

test('a silence of life-safety takes a second person', async () => {
  await linli.band('duty-3')
  const ask = (reason: string) => linli.api('POST', 'silences', {
    match: { community: 'tianjin', device: 'duty-3' }, reason, safety: true, until: new Date(Date.now() + 3600e3).toISOString(),
  })
  await ask('换电池')
  const { password } = await linli.api<{ password: string }>('POST', 'users', { name: 'zhao', role: 'duty', communities: ['tianjin'] })
  const b = await Browser.open(linli)
  try {
    await b.page.goto(linli.url)
    await b.page.locator('#user').fill('zhao')
    await b.page.locator('#password').fill(password)
    await b.page.keyboard.press('Enter')
    await b.page.locator('#fresh').fill('右边的马 2026 zhao')
    await b.page.locator('#again').fill('右边的马 2026 zhao')
    await b.page.keyboard.press('Enter')
    const strip = b.page.getByTestId('safety-silences')
    await strip.getByText('admin 申请静默生命安全告警').waitFor()
    await strip.getByRole('button', { name: '确认静默' }).click()
    await strip.getByText('admin 申请，zhao 确认').waitFor()
    await ask('再次换电池') // is told of at once, on every page
    await b.page.getByTestId('to-confirm').getByText('1 项生命安全静默等您确认').waitFor()
    expect(await b.page.getByTestId('waiting-silences').first().textContent()).toBe('1')
    await b.go('/silences')
    await b.page.getByRole('button', { name: '新增' }).click()
    const form = b.page.locator('dialog form')
    await form.getByLabel('设备', { exact: true }).fill('duty-3')
    await form.getByLabel('同时静默生命安全告警').check()
    await form.getByLabel('原因').fill('再换一次')
    await form.getByRole('button', { name: '保存' }).click()
    const own = b.page.locator('tr', { hasText: '再换一次' })
    await own.getByText('待第二人确认').waitFor()
    expect(await own.getByRole('button', { name: '确认静默' }).count()).toBe(0) // not by who asked
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('a device is put into service and under maintenance on the page, and taken out of both', async () => {
  await linli.band('duty-4')
  const b = await Browser.open(linli, { language: 'en' })
  const p = b.page
  try {
    await b.enter(linli, '/silences')
    for (const [kind, name, minutes] of [['commissioning', 'Commissioning', '15'], ['maintenance', 'Maintenance', '480']] as const) {
      await p.getByRole('button', { name: 'Add' }).click()
      const form = p.locator('dialog form')
      await form.locator('select').first().selectOption(kind)
      await form.locator('select').nth(1).selectOption('tianjin')
      await form.locator('input').first().fill('duty-4')
      await form.locator('input[maxlength="200"]').fill('battery ' + kind)
      await form.locator('select').last().selectOption(minutes)
      await form.getByRole('button', { name: 'Save' }).click()
      const row = p.locator('tr', { hasText: 'battery ' + kind })
      await row.getByText(name, { exact: true }).waitFor()
      const { holds } = await linli.api<{ holds: { reason: string, match: { device?: string }, until: string }[] }>('GET', kind)
      const hold = holds.find(h => h.reason === 'battery ' + kind)!
      expect(hold.match.device).toBe('duty-4')
      expect(Math.round((Date.parse(hold.until) - Date.now()) / 60e3)).toBeCloseTo(Number(minutes), -1)
      await row.locator('button').last().click()
      await row.waitFor({ state: 'detached' })
    }
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('the first password is changed before anything else is shown', async () => {
  expect(linli.password).not.toBe('')
  const b = await Browser.open(linli, { language: 'en' })
  try {
    await b.page.goto(linli.url)
    await b.page.locator('#user').fill('admin')
    await b.page.locator('#password').fill(linli.password)
    await b.page.keyboard.press('Enter')
    await b.page.locator('#fresh').fill('一个足够长的新密码 2026')
    await b.page.locator('#again').fill('一个足够长的新密码 2026')
    await b.page.keyboard.press('Enter')
    await b.page.locator('#main').waitFor()
    await b.page.reload()
    await b.page.locator('#main').waitFor() // the cookie remembers
    await b.page.getByTestId('logout').click()
    await b.page.locator('#user').waitFor()
  } finally {
    await b.close()
  }
})
