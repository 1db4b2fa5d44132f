// Chinese is set with Chinese punctuation; the texts may be typed with any keyboard.

type Words = { [key: string]: string | Words }
const wide: Record<string, string> = { ',': '，', ';': '；', ':': '：', '!': '！', '?': '？' }
const han = '[\\u4e00-\\u9fff」”）]'
const between = new RegExp(`(?<=${han}) ?([,;:!?]) ?(?=[\\u4e00-\\u9fff「“（{]|$)|(?<=\\}) ?([,;:!?]) ?(?=[\\u4e00-\\u9fff「“（])|^([,;:!?]) ?(?=[\\u4e00-\\u9fff「“（{])`, 'g')
const brackets = /\(([^()]*[\u4e00-\u9fff][^()]*)\)/g

/** punctuate sets one text. */
export const punctuate = (text: string) => text.replace(brackets, '（$1）').replace(between, (_, a, b, c) => wide[a ?? b ?? c]!)

/** chinese sets all texts of a language. */
export function chinese<T extends Words>(words: T): T {
  return Object.fromEntries(Object.entries(words).map(([k, v]) => [k, typeof v === 'string' ? punctuate(v) : chinese(v)])) as T
}
