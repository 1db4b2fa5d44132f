import { expect, test } from 'vitest'
import { agentName } from './agent'

test('a browser is called what people call it', () => {
  expect(agentName('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Edg/120.0')).toBe('Edge · Windows')
  expect(agentName('Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 MicroMessenger/8.0')).toBe('微信 WeChat · iOS')
  expect(agentName('curl/8.5.0 x')).toBe('curl/8.5.0')
  expect(agentName()).toBe('')
})
