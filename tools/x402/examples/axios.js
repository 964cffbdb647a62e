import axios from 'axios'
import { wrapAxiosWithPayment, x402Client } from '@x402/axios'
import { DeferredClient, sameResourceAxios } from 'crawltab-x402'

const payer = new DeferredClient({ key: 'crawler.key', agent: 'https://crawler.example' })
const client = wrapAxiosWithPayment(sameResourceAxios(axios.create()), payer.register(new x402Client()))
console.log((await client.get('https://gazette.example/articles/harbour-bell.html')).data)
