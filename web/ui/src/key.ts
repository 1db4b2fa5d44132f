/** newKey is of one press: sent again it does nothing twice. randomUUID would be missing where the pages come over plain http. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('')
