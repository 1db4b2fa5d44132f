import { beforeEach, expect, test } from 'vitest'
import { sayRoute } from './audit'
import { state } from './state'
import { i18n } from './texts'

beforeEach(() => {
  state.language = 'zh'
  i18n.global.locale.value = 'zh'
})

test('a route is said in words', () => {
  expect(sayRoute('GET', '/api/v1/people')).toBe('人员 · 查看')
  expect(sayRoute('POST', '/api/v1/alerts/{id}/acknowledge')).toBe('告警 · 确认')
  expect(sayRoute('DELETE', '/api/v1/people/{id}/away')).toBe('人员 · 外出 · 删除')
  expect(sayRoute('GET', '/api/v1/devices/{id}/rules')).toBe('设备 · 适用规则')
  expect(sayRoute('GET', '/api/v1/devices/{id}/readings.csv')).toBe('设备 · 读数')
  expect(sayRoute('POST', '/api/v1/session')).toBe('登录')
  expect(sayRoute('POST', '/api/v1/rules/{id}/replay')).toBe('规则 · 用历史数据试算')
  expect(sayRoute('POST', '/api/v1/rejects/{id}/replay')).toBe('拒收数据 · 重放')
  expect(sayRoute('PUT', '/api/v1/devices/{id}')).toBe('设备 · 修改')
})
