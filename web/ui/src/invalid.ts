// What is said at a field that cannot be sent: in the language of the page, and not in the browser's own.

type Field = HTMLInputElement // or a select or a textarea, which have no min and max

/** sayInvalid asks say what is wrong with a field, in place of the browser. What a field says itself (setCustomValidity) stays. */
export function sayInvalid(say: (wrong: 'wanted' | 'range' | 'form', field: Field) => string) {
  const told = new Set<Field>()
  document.addEventListener('invalid', (e) => {
    const field = e.target as Field
    const { customError, valueMissing, rangeUnderflow, rangeOverflow } = field.validity
    if (customError) return
    field.setCustomValidity(say(valueMissing ? 'wanted' : rangeUnderflow || rangeOverflow ? 'range' : 'form', field))
    told.add(field)
  }, true)
  // Sending begins with a click, that of the Enter key too: each time the browser judges anew.
  document.addEventListener('click', () => {
    for (const field of told) field.setCustomValidity('')
    told.clear()
  }, true)
}
