// What is said at a field that cannot be sent: in the language of the page, and not in the browser's own.

type Field = HTMLInputElement // or a select or a textarea, which have no min and max

/** sayInvalid asks say what is wrong with a field, in place of the browser, which says it where say has no words. What a field says itself (setCustomValidity) stays. */
export function sayInvalid(say: (wrong: 'wanted' | 'short' | 'range', field: Field) => string) {
  const told = new Map<Field, string>()
  document.addEventListener('invalid', (e) => {
    const field = e.target as Field
    const { customError, badInput, valueMissing, tooShort, rangeUnderflow, rangeOverflow } = field.validity
    if (customError || badInput) return // what cannot be read is no empty field, though it has no value
    const wrong = valueMissing ? 'wanted' : tooShort ? 'short' : rangeUnderflow || rangeOverflow ? 'range' : undefined
    const words = wrong && say(wrong, field)
    if (!words) return
    field.setCustomValidity(words)
    told.set(field, words)
  }, true)
  // Sending begins with a click, that of the Enter key too: each time the browser judges anew.
  document.addEventListener('click', () => {
    for (const [field, words] of told) {
      if (!field.willValidate) continue // disabled for now, and without a word
      if (field.validationMessage === words) field.setCustomValidity('') // else the field has come to say something itself
      told.delete(field)
    }
  }, true)
}
