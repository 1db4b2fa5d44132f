import { expect, test } from 'vitest'
import { parse, type ServerEvent } from './stream'

test('events come whole, however the bytes are cut', () => {
  const text = 'retry: 2000\n\n: ping\n\nevent: snapshot\nid: 7\ndata: {"alerts":[]}\n\nevent: alert\nid: 8\ndata: {"a": 1}\n\n'
  for (let cut = 0; cut <= text.length; cut++) {
    const got: ServerEvent[] = []
    let rest = parse(text.slice(0, cut), e => got.push(e))
    rest = parse(rest + text.slice(cut), e => got.push(e))
    expect(rest).toBe('')
    expect(got).toEqual([{ event: 'snapshot', id: '7', data: '{"alerts":[]}' }, { event: 'alert', id: '8', data: '{"a": 1}' }])
  }
})
