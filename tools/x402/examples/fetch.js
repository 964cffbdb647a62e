import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { DeferredClient, sameResource } from 'crawltab-x402'

const payer = new DeferredClient({ key: 'crawler.key', agent: 'https://crawler.example' })
const fetch = wrapFetchWithPayment(sameResource(), payer.register(new x402Client()))
console.log(await (await fetch('https://gazette.example/articles/harbour-bell.html')).text())
