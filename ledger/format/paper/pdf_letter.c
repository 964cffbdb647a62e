/* Everything that can be long may go over pages: sentences, keys and notes of any length. */
#include "ledger/format/paper/pdf_letter.h"

#include "ledger/format/paper/pdf_logo.h"
#include "ledger/format/paper/pdf_sheet.h"
#include "ledger/format/party.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP          16
#define LABEL_WIDTH  96
#define NUMBER_WIDTH 22

static const struct pdf_type plain = {.size = 9, .colour = PDF_INK};
static const struct pdf_type strong = {.size = 10, .bold = true, .colour = PDF_INK};
static const struct pdf_type soft = {.size = 8, .colour = PDF_SOFT};
static const struct pdf_type fixed = {.size = 7, .fixed = true, .colour = PDF_INK};

void letter_pair(struct letter *letter, const char *label, const char *value)
{
    if (!value || !*value)
        return;
    assert(letter->pair_count < LETTER_PAIRS_MAX);
    letter->pairs[letter->pair_count].label = label;
    letter->pairs[letter->pair_count++].value = value;
}

void letter_part(struct letter *letter, const struct letter_part *part)
{
    if (part->count == 0)
        return;
    assert(letter->part_count < LETTER_PARTS_MAX);
    letter->parts[letter->part_count++] = *part;
}

/* --- The head --- */

/* Name and picture on the left, the address on the right, as letters have it. */
static void write_head(struct pdf_sheet *sheet)
{
    static const struct pdf_type name = {.size = 13, .bold = true, .colour = PDF_INK};
    static const struct pdf_type address = {.size = 8, .colour = PDF_SOFT, .align = PANGO_ALIGN_RIGHT};
    const struct letter *letter = sheet->subject;
    int half = pdf_sheet_width(sheet) / 2, left = sheet->y, right = sheet->y;
    struct party_lines lines;
    int logo = pdf_logo_draw(sheet->cr, letter->seller->logo, PDF_MARGIN, left);
    left += logo > 0 ? logo + 6 : 0;
    left += pdf_draw(sheet->cr, &name, letter->seller->name, PDF_MARGIN, left, half - 10);
    (void)party_lines_of(letter->seller, &lines); /* without memory there are fewer: cairo fails, too */
    for (size_t i = 0; i < lines.count; i++)
        right += pdf_draw_address(sheet->cr, &address, lines.items[i], PDF_MARGIN + half, right, half) + 1;
    party_lines_free(&lines);
    sheet->y = (left > right ? left : right) + 8;
    pdf_sheet_line(sheet, sheet->y, PDF_INK, 1);
    sheet->y += GAP;
}

static void write_title(struct pdf_sheet *sheet)
{
    static const struct pdf_type title = {.size = 15, .bold = true, .colour = PDF_INK};
    static const struct pdf_type date = {.size = 9, .colour = PDF_INK, .align = PANGO_ALIGN_RIGHT};
    const struct letter *letter = sheet->subject;
    char day[16];
    snprintf(day, sizeof(day), "%.10s", letter->at);
    sheet->y += pdf_draw(sheet->cr, &date, day, PDF_MARGIN, sheet->y, pdf_sheet_width(sheet)) + 6;
    if (*letter->notice)
        pdf_sheet_paragraph(sheet, &strong, letter->notice, 0);
    pdf_sheet_paragraph(sheet, &title, letter->title, 0);
    sheet->y += 4;
    pdf_sheet_paragraph(sheet, &plain, letter->opening, 0);
    sheet->y += 6;
}

/* --- The body --- */

static void write_pairs(struct pdf_sheet *sheet)
{
    const struct letter *letter = sheet->subject;
    for (size_t i = 0; i < letter->pair_count; i++) {
        pdf_sheet_need(sheet, 2 * pdf_measure(sheet->cr, &plain, "0", 100));
        pdf_draw(sheet->cr, &soft, letter->pairs[i].label, PDF_MARGIN, sheet->y + 1, LABEL_WIDTH - 6);
        pdf_sheet_paragraph(sheet, &plain, letter->pairs[i].value, LABEL_WIDTH);
        sheet->y -= 2; /* they are lines of one list */
    }
    sheet->y += GAP / 2;
}

static void write_part(struct pdf_sheet *sheet, const struct letter_part *part)
{
    const struct pdf_type *type = part->style == LETTER_VERBATIM ? &fixed : &plain;
    int indent = part->style == LETTER_TEXT ? 0 : NUMBER_WIDTH;
    if (*part->head) {
        /* A head alone at the foot of a page is none. */
        pdf_sheet_need(sheet, 50);
        sheet->y += 6;
        pdf_sheet_paragraph(sheet, &strong, part->head, 0);
    }
    for (size_t i = 0; i < part->count; i++) {
        char number[24];
        snprintf(number, sizeof(number), "%zu.", i + 1);
        pdf_sheet_need(sheet, pdf_measure(sheet->cr, type, "0", 100) + 2);
        int y = sheet->y;
        if (part->style == LETTER_NUMBERED)
            pdf_sheet_paragraph(sheet, &plain, number, 0);
        sheet->y = y; /* beside it, on the same line */
        pdf_sheet_paragraph(sheet, type, part->items[i], indent);
    }
}

static void write_signature(struct pdf_sheet *sheet)
{
    const struct letter *letter = sheet->subject;
    int half = pdf_sheet_width(sheet) / 2;
    pdf_sheet_need(sheet, 70);
    sheet->y += 44;
    pdf_set_colour(sheet->cr, PDF_INK);
    pdf.cairo_rectangle(sheet->cr, PDF_MARGIN, sheet->y, half - 20, 1);
    pdf.cairo_rectangle(sheet->cr, PDF_MARGIN + half, sheet->y, half, 1);
    pdf.cairo_fill(sheet->cr);
    sheet->y += 3;
    pdf_draw(sheet->cr, &soft, "Place, date", PDF_MARGIN, sheet->y, half - 20);
    char *name = format_printed("For %s", letter->seller->name);
    sheet->y += pdf_draw(sheet->cr, &soft, name ? name : "", PDF_MARGIN + half, sheet->y, half);
    free(name);
}

static void draw(struct pdf_sheet *sheet)
{
    const struct letter *letter = sheet->subject;
    write_head(sheet);
    write_title(sheet);
    write_pairs(sheet);
    for (size_t i = 0; i < letter->part_count; i++)
        write_part(sheet, &letter->parts[i]);
    write_signature(sheet);
}

bool letter_render(const struct letter *letter, struct format_output *out)
{
    struct letter drawn = *letter;
    struct pdf_sheet sheet = {.draw = draw, .subject = &drawn};
    const struct pdf_file file = {letter->title, letter->seller->name, letter->at};
    char *foot = format_printed("%s · %s", letter->seller->name, letter->title);
    sheet.foot = foot ? foot : "";
    pdf_sheet_choose(&sheet, letter->seller->country);
    bool ok = foot ? pdf_sheet_render(&sheet, &file, out) : format_fail(out, "no memory");
    free(foot);
    return ok;
}
