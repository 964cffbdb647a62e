// What moves: numbers of today as they change, charts that answer to the pointer, and the way to the search
// box. Every page works without it.
'use strict'

const amount = { minimumFractionDigits: 2, maximumFractionDigits: 6 }
const format = (value, currency) =>
    currency ? `${(value / 1e6).toLocaleString('en', amount)} ${currency}` : value.toLocaleString('en')

function listen() {
    const cells = document.querySelectorAll('[data-live]')
    if (cells.length === 0 || !window.EventSource) return
    new EventSource('/live').addEventListener('today', event => {
        const sites = JSON.parse(event.data)
        for (const cell of cells) {
            const site = sites[cell.dataset.site]
            const value = site?.[cell.dataset.live]
            if (value === undefined) continue
            cell.textContent = format(value, cell.dataset.live.endsWith('_micros') ? site.currency : '')
        }
        document.body.dataset.live = 'yes'
    })
}

// The library draws over the picture that is there; where it is not installed, that stays.
function draw() {
    if (!window.Chart) return
    const style = getComputedStyle(document.documentElement)
    const colour = name => style.getPropertyValue(name).trim()
    for (const figure of document.querySelectorAll('figure.chart')) {
        const { labels, columns, line, name, lineName, title, currency } = figure.dataset
        const numbers = text => text.split(',').map(value => Number(value) / (currency ? 1e6 : 1))
        const canvas = document.createElement('canvas')
        canvas.setAttribute('role', 'img')
        canvas.setAttribute('aria-label', title)
        canvas.height = 110
        figure.querySelector('svg').replaceWith(canvas)
        new window.Chart(canvas, {
            data: {
                labels: labels.split(','),
                datasets: [
                    { type: 'bar', label: name, data: numbers(columns), backgroundColor: colour('--accent') },
                    {
                        type: 'line',
                        label: lineName,
                        data: numbers(line),
                        borderColor: colour('--offered'),
                        borderDash: [4, 3],
                        pointRadius: 0
                    }
                ]
            },
            options: {
                animation: false,
                interaction: { mode: 'index', intersect: false },
                plugins: { legend: { display: false } },
                scales: {
                    x: { ticks: { color: colour('--soft') }, grid: { display: false } },
                    y: {
                        beginAtZero: true,
                        ticks: { color: colour('--soft') },
                        grid: { color: colour('--rule') }
                    }
                }
            }
        })
    }
}

// A slash goes to the search box, except where it is written, or is part of a shortcut of the browser.
function search(event) {
    const box = document.getElementById('q')
    const writes = event.target.closest?.('input, textarea, select')
    if (!box || event.key !== '/' || writes || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    box.focus()
    box.select()
}

listen()
draw()
document.addEventListener('keydown', search)
