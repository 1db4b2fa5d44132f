import { beforeEach, expect, test } from 'vitest'
import { state } from './state'
import { i18n } from './texts'
import { sayWarning } from './warning'

beforeEach(() => {
  state.language = 'zh'
  i18n.global.locale.value = 'zh'
})

test('warnings of the server are said in words, unknown ones as they came', () => {
  expect(sayWarning('influx: disk of /data is 84 % full: at 90 % devices are turned away')).toBe('磁盘空间已用 84%')
  expect(sayWarning('store: 2100 messages of READINGS wait to be stored')).toBe('积压 2100 条待处理')
  expect(sayWarning('ingest: connection refused')).toContain('connection refused')
  expect(sayWarning('Something else')).toBe('Something else')
})
