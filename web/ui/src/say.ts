// What the pages of staff and of families both say of an alert.

/** beside is what the text of an alert says beside its name, which stands there already. */
export function beside(name: string, text: string): string {
  if (!name) return text
  return text.startsWith(name + ' at ') ? text.slice(name.length + 4) : text.replace('：' + name, '')
}
