# Writes version.cpp. Run by every build, because a commit does not make CMake configure again; the
# file changes only when its content does, so nothing is compiled in vain.
#
#   cmake -D SOURCE=… -D TEMPLATE=… -D OUTPUT=… -D VOLLEY_VERSION=… -P version.cmake
set(VOLLEY_COMMIT unknown)
find_program(git git)
# Only a repository of our own counts: unpacked inside somebody else's, the commit would be theirs.
if(git AND EXISTS ${SOURCE}/.git)
  execute_process(
    COMMAND ${git} -C ${SOURCE} rev-parse --short=12 HEAD
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(VOLLEY_COMMIT ${commit})
    execute_process(
      COMMAND ${git} -C ${SOURCE} --no-optional-locks status --porcelain --untracked-files=no
      OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes)
      string(APPEND VOLLEY_COMMIT -dirty)
    endif()
  endif()
endif()
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
