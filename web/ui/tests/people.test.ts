// Rotas and people as a manager edits them: shifts, notes, circles, consent, absence; and what happens when two edit the same.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser } from './browser'
import { Linli } from './linli'

interface Rota { id: string, on_duty: string[], layers: { people: string[] }[], overrides?: { on?: string, off?: string }[], version: string }
let linli: Linli
beforeAll(async () => {
  linli = await Linli.start()
  for (const [id, name, roles] of [['t-chen', '陈师傅甲', 'property_duty'], ['t-du', '杜师傅乙', 'property_duty'], ['t-ma', '马奶奶丙', 'elder'], ['t-son', '马小丁', 'contact']] as const) {
    await linli.api('PUT', 'people/' + id, { community: 'tianjin', name, roles: [roles], reach: [{ channel: 'log' }] })
  }
  // Nobody is on duty in the night.
  await linli.api('PUT', 'rotas/t-desk', { community: 'tianjin', role: 'property_duty', name: '测试班', layers: [{ people: ['t-chen'], turn: 'daily', since: '2026-01-05', from: '08:00', to: '20:00' }] })
})
afterAll(async () => { await linli.close() })

test('a rota is made and taken away, which says whom the plans would tell then', async () => {
  const b = await Browser.open(linli)
  const p = b.page
  const rotas = async () => (await linli.api<{ rotas: (Rota & { name?: string })[] }>('GET', 'rotas?community=tianjin&role=property_duty')).rotas.filter(r => r.name === '新班')
  try {
    await b.enter(linli, '/rota')
    await p.getByTestId('create').click()
    await p.getByTestId('of').selectOption('tianjin')
    await p.getByTestId('role').selectOption('property_duty')
    await p.getByTestId('title').fill('新班')
    await p.getByTestId('add-班次层').click()
    await p.getByTestId('add-轮值人员').click()
    await p.locator('dialog select').last().selectOption({ label: '杜师傅乙' })
    await p.getByTestId('save').click()
    await p.locator('dialog').waitFor({ state: 'detached' })
    await p.getByTestId('on-duty').getByText('杜师傅乙').waitFor()
    expect((await rotas()).map(r => r.layers[0]!.people)).toEqual([['t-du']])
    await p.getByTestId('delete').click()
    await p.locator('dialog').getByText('删除后，通知值班时将通知').waitFor()
    await p.getByTestId('sure').click()
    await p.locator('dialog').waitFor({ state: 'detached' })
    expect(await rotas()).toEqual([])
    expect(b.errors).toEqual([])
  } finally {
    await b.close()
  }
})

test('a rota shows its gaps, is changed, and does not overwrite what another has changed', async () => {
  const b = await Browser.open(linli)
  const p = b.page
  const rota = () => linli.api<Rota>('GET', 'rotas/t-desk')
  try {
    await b.enter(linli, '/rota')
    await p.getByTestId('rota').selectOption('t-desk')
    await p.getByTestId('problem').first().waitFor()
    const calendar = p.getByTestId('calendar')
    await calendar.getByText('无人值班').first().waitFor()
    await p.getByRole('button', { name: '往后' }).click() // of which nothing is over yet
    await calendar.getByRole('button', { name: '陈师傅甲' }).last().click()
    await p.getByTestId('on').selectOption({ label: '杜师傅乙' })
    await p.getByTestId('save').click()
    await calendar.getByText('杜师傅乙').waitFor()
    await p.getByText('杜师傅乙 顶替 陈师傅甲').waitFor()
    await p.getByTestId('take-back').click()
    await p.getByTestId('take-back').waitFor({ state: 'detached' })
    expect((await rota()).overrides ?? []).toEqual([])
    await p.getByTestId('note').fill('3 栋电梯今晚检修')
    await p.getByRole('button', { name: '留言' }).click()
    await p.getByText('3 栋电梯今晚检修').waitFor()
    await p.getByTestId('month').click()
    expect(await calendar.locator('li').count()).toBe(42)

    await p.getByTestId('edit').click()
    const { on_duty: _, ...now } = await rota()
    await linli.api('PUT', 'rotas/t-desk', { ...now, name: '别人改的班' })
    await p.getByTestId('add-轮值人员').click()
    await p.locator('dialog select').last().selectOption({ label: '杜师傅乙' })
    await p.getByTestId('save').click()
    await p.locator('dialog').getByText('内容已被他人修改').waitFor()
    expect((await rota()).layers[0]!.people).toEqual(['t-chen'])
    await p.keyboard.press('Escape')
    await p.reload()
    await p.getByTestId('rota').selectOption('t-desk')
    await p.getByTestId('edit').click()
    await p.getByTestId('add-轮值人员').click()
    await p.locator('dialog select').last().selectOption({ label: '杜师傅乙' })
    await p.getByTestId('save').click()
    await p.locator('dialog').waitFor({ state: 'detached' })
    expect((await rota()).layers[0]!.people).toEqual(['t-chen', 't-du'])
    expect(b.errors.filter(e => !e.includes('status of 409'))).toEqual([])
  } finally {
    await b.close()
  }
})

test('a circle is edited with consent, and somebody is away', async () => {
  const b = await Browser.open(linli, { language: 'en', width: 360 })
  const p = b.page
  try {
    await b.enter(linli, '/people')
    await p.getByTestId('search').fill('马奶奶丙')
    await p.getByTestId('edit').click()
    await p.getByTestId('phone').fill('123')
    expect(await p.locator('dialog').evaluate(d => d.scrollWidth - d.clientWidth)).toBe(0)
    await p.getByTestId('add-Circle').click()
    await p.getByTestId('member').selectOption({ label: '马小丁' })
    await p.getByTestId('relation').selectOption('son')
    await p.getByTestId('consent-vitals').check()
    const since = p.getByLabel('consent to vitals since')
    const said = () => p.evaluate(() => (document.activeElement as HTMLInputElement).validationMessage)
    const day = await since.inputValue()
    await since.fill('')
    await p.getByTestId('save').click()
    expect(await said()).toBe('Please fill this in')
    await since.fill('tomorrow') // its own word by now: the press does not take that away and send the day before
    await since.press('Enter')
    expect(await said()).toBe('Enter a date such as 2026-01-05')
    await since.fill(day)
    expect(await p.locator('dialog .picker').evaluateAll(all => all.filter(x => (x as HTMLInputElement).form).length)).toBe(0)
    await p.getByTestId('until-vitals').fill('2030-02-30')
    await p.getByTestId('save').click()
    expect(await said()).toBe('Enter a date such as 2026-01-05')
    await p.getByTestId('until-vitals').fill('2030/2/28')
    await p.getByTestId('save').click()
    expect(await p.getByTestId('until-vitals').inputValue()).toBe('2030-02-28')
    await p.locator('.wrong', { hasText: 'Phone' }).getByRole('alert').waitFor()
    await p.getByTestId('phone').fill('13800000000')
    await p.getByTestId('save').click()
    await p.locator('dialog').waitFor({ state: 'detached' })
    await p.getByText('son · vitals (to 28 Feb 2030)').waitFor()
    const ma = await linli.api<{ circle: { person: string, consent: { scope: string, since: string, until: string }[] }[] }>('GET', 'people/t-ma')
    expect(ma.circle.map(m => [m.person, m.consent.map(c => c.scope)])).toEqual([['t-son', ['vitals']]])
    expect(Date.parse(ma.circle[0]!.consent[0]!.until)).toBe(Date.parse('2030-03-01T00:00:00+08:00'))
    expect(new Date(ma.circle[0]!.consent[0]!.since).toISOString()).toMatch(/T16:00:00/) // midnight in Shanghai, where the browser is
    await p.getByTestId('leave').click()
    await p.getByTestId('save').click()
    await p.getByTestId('back').waitFor()
    expect((await linli.api<{ away: boolean }>('GET', 'people/t-ma')).away).toBe(true)
    await p.getByTestId('back').click()
    await p.getByTestId('leave').waitFor()
    expect(b.errors.filter(e => !e.includes('status of 400'))).toEqual([])
  } finally {
    await b.close()
  }
})
