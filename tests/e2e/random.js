// Randomness from a seed, so that a failure can be seen again.
export function generator(seed) {
    let state = seed >>> 0
    // mulberry32
    const next = () => {
        state = (state + 0x6d2b79f5) >>> 0
        let t = state
        t = Math.imul(t ^ (t >>> 15), t | 1)
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
        return (t ^ (t >>> 14)) >>> 0
    }
    const below = n => Math.floor((next() / 0x100000000) * n)
    return {
        below,
        pick: list => list[below(list.length)],
        shuffled: list => {
            const left = [...list]
            return list.map(() => left.splice(below(left.length), 1)[0])
        },
        chance: (n, of) => below(of) < n,
        text: (length, alphabet) => Array.from({ length }, () => alphabet[below(alphabet.length)]).join('')
    }
}
