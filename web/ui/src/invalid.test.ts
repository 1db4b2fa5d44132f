import { beforeAll, expect, test } from 'vitest'
import { sayInvalid } from './invalid'

beforeAll(() => sayInvalid((wrong, field) => field.type === 'date' ? '' : `${wrong} ${field.name}`))

function form(fields: string) {
  document.body.innerHTML = `<form>${fields}<button>send</button></form>`
  const form = document.querySelector('form')!
  form.addEventListener('submit', e => e.preventDefault())
  return { form, press: () => document.querySelector('button')!.click(), fields: [...document.querySelectorAll('input')] }
}

test('a field says what is wrong in the words of the page, and is judged anew at every press', () => {
  const { form: f, press, fields: [a, b, c, d] } = form('<input name="a" required><input name="b" type="number" max="3" value="4"><input name="c"><input name="d" minlength="3" value="xy">')
  c!.setCustomValidity('its own')
  expect(f.checkValidity()).toBe(false)
  expect([a, b, c, d].map(x => x!.validationMessage)).toEqual(['wanted a', 'range b', 'its own', 'short d'])
  a!.value = 'x'
  b!.value = '3'
  c!.setCustomValidity('')
  d!.value = 'xyz'
  press()
  expect(f.checkValidity()).toBe(true)
})

test('what a field has come to say itself stays, and is not sent over', () => {
  const { form: f, press, fields: [a, b] } = form('<input name="a" required><input name="b" required>')
  f.checkValidity()
  a!.value = 'tomorrow'
  a!.setCustomValidity('no date')
  b!.value = 'x'
  b!.disabled = true
  press()
  expect(a!.validationMessage).toBe('no date')
  expect(f.checkValidity()).toBe(false)
  b!.disabled = false
  a!.setCustomValidity('')
  press()
  expect(f.checkValidity()).toBe(true)
})

test('where the page has no words the browser says it', () => {
  const { form: f, fields: [a, b] } = form('<input name="a" type="date" required><input name="b" type="email" value="x">')
  expect(f.checkValidity()).toBe(false)
  expect([a, b].map(x => x!.validity.customError)).toEqual([false, false])
})
