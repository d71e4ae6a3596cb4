/* The files of the HTML page, byte by byte. CMake says where they are. */
#define ASSET(name, file) \
  .global volley_page_##name##_begin; \
  .global volley_page_##name##_end; \
  volley_page_##name##_begin: .incbin file; \
  volley_page_##name##_end: .byte 0

  .section .rodata
  ASSET(style, VOLLEY_PAGE_STYLE)
  ASSET(script, VOLLEY_PAGE_SCRIPT)
  ASSET(chart, VOLLEY_PAGE_CHART)
  .section .note.GNU-stack, "", %progbits
