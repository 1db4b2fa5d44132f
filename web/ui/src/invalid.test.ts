import { expect, test } from 'vitest'
import { sayInvalid } from './invalid'

test('a field says what is wrong in the words of the page, and is judged anew at every press', () => {
  sayInvalid((wrong, field) => `${wrong} ${field.name}`)
  document.body.innerHTML = '<form><input name="a" required><input name="b" type="number" max="3" value="4"><input name="c"><button>send</button></form>'
  const [a, b, c] = [...document.querySelectorAll('input')]
  c!.setCustomValidity('its own')
  const form = document.querySelector('form')!
  expect(form.checkValidity()).toBe(false)
  expect([a, b, c].map(x => x!.validationMessage)).toEqual(['wanted a', 'range b', 'its own'])
  a!.value = 'x'
  b!.value = '3'
  c!.setCustomValidity('')
  document.querySelector('button')!.click()
  expect(form.checkValidity()).toBe(true)
})
